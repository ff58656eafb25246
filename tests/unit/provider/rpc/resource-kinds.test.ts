import "reflect-metadata";
import { afterAll, expect, test } from "vitest";
import { allResources } from "../../../../provider/resources/all-resources";
import { apiKinds, membershipKinds } from "../../../support/cluster-kinds";
import { deleteSources, machineKinds } from "../../../support/resource-kinds";

afterAll(deleteSources);

/** Kinds of which `resource-transactions.test.ts` fails no step, and why. A new kind is added there, or here. */
const LEFT_OUT = new Map(
  Object.entries({
    "changes this computer only": ["local:Artifacts", "local:Kubeconfig", "docker:Image", "vagrant:Box"],
    "has its whole result in the state": [
      "local:SshKey",
      "local:HostKey",
      "pki:Authority",
      "pki:Certificate",
      "pki:KeyPair",
      "pki:EncryptionKeys",
      "cluster:Roster",
    ],
    "reads machines, and changes nothing": ["host:Host", "cluster:Preflight"],
    "is one command of Docker or Vagrant, or a few, which its own tests end": [
      "docker:Machine",
      "docker:Network",
      "vagrant:Machine",
      "vagrant:ExistingMachine",
    ],
    "needs API servers that take changes into use, which the machine in memory does not have": [
      "kube:Encryption",
      "kubeadm:Endpoint",
      "kubeadm:KubeletAuthority",
    ],
    "needs controllers that replace pods, which the API in memory does not have": [
      "kube:DaemonSetRollout",
      "kubeadm:AddOns",
    ],
  }).flatMap(([reason, types]) => types.map((type) => [`kubewright:${type}`, reason] as const)),
);

test("each kind has its steps failed, or a reason why not", () => {
  const failed = [...machineKinds, ...apiKinds, ...membershipKinds({ ca: "", client: "" })];
  const types = new Set(failed.map(({ handler }) => handler.contract.type));
  const all = allResources.map(({ contract }) => contract.type);
  expect(all.filter((type) => !types.has(type) && !LEFT_OUT.has(type))).toEqual([]);
  expect([...LEFT_OUT.keys()].filter((type) => types.has(type as never) || !all.includes(type as never))).toEqual([]);
});
