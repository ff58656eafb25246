import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { parseConfig } from "../../../components/config";
import { createFromConfig } from "../../../components/configured-cluster";
import { allResources } from "../../../provider/resources/all-resources";
import { registryOf } from "../../../provider/rpc/handler";
import { recordRegistrations } from "../../support/registrations";

const handlers = registryOf(allResources);
const FILE_OF_THIS_COMPUTER = "kubewright:local:Kubeconfig";

/** Returns the resources that a destroy of the whole stack deletes by SSH: no deletion of another one replaces it. */
async function deletedBySsh(raw: object): Promise<string[]> {
  const config = parseConfig(raw, { kubernetesVersions: ["1.36.3"], fileExists: () => true });
  const program = () =>
    createFromConfig(config, { name: pulumi.getStack(), folder: "/state", kubeconfig: "kubeconfig" });
  return (await recordRegistrations(() => void program()))
    .filter(({ inputs }) => inputs.connection !== undefined || inputs.controlPlanes !== undefined)
    .filter(({ type, deletedWith }) => deletedWith === undefined && handlers[type]?.delete !== undefined)
    .map(({ type, name }) => `${type} ${name}`)
    .filter((id) => !id.startsWith(FILE_OF_THIS_COMPUTER));
}

const vagrant = { kind: "vagrant", vagrant: { box: "fedora/41-cloud-base" } };
test.each<[string, object]>([
  ["containers", {}],
  ["several control planes", { controlPlane: { count: 3 }, security: { encryption: { provider: "secretbox" } } }],
  ["cloud machines", { machines: { kind: "hetzner" }, network: { flannel: { backend: "vxlan" } } }],
  ["Vagrant machines", { machines: vagrant }],
  ["the ladder", { bootstrap: "components", rung: "dns" }],
  ["the ladder with systemd", { bootstrap: "components", rung: "dns", controlPlane: { runAs: "systemd" } }],
  ["the runtime docker", { runtime: "docker" }],
])("a destroy needs no SSH key of created machines, whose file may not be on this computer: %s", async (_, raw) => {
  expect(await deletedBySsh(raw)).toEqual([]);
});

test("a destroy removes what it installed on a user's own machines", async () => {
  const hosts = [{ name: "boss", host: "192.0.2.1", privateKeyPath: "/keys/id", role: "control-plane" }];
  expect(await deletedBySsh({ machines: { kind: "ssh", ssh: { hosts } } })).not.toEqual([]);
});
