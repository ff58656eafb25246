import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { parseConfig } from "../../../../components/config";
import { createFromConfig } from "../../../../components/configured-cluster";
import { recordRegistrations, type Registration } from "../../../support/registrations";

async function registered(controlPlane: object): Promise<Registration[]> {
  const config = parseConfig({ controlPlane }, { kubernetesVersions: ["1.36.3"], fileExists: () => true });
  return await recordRegistrations(() => {
    createFromConfig(config, { name: pulumi.getStack(), folder: "/state", kubeconfig: "kubeconfig" });
  });
}

const find = (all: readonly Registration[], name: string) => all.find((one) => one.name === name);

test("every control plane runs the virtual address after its API server has a certificate for it", async () => {
  const all = await registered({ count: 3, endpoint: { kind: "vip", address: "10.77.0.250" } });
  const units = all.filter(({ name }) => name.endsWith("-api-vip"));
  expect(units.map(({ name }) => name)).toEqual([1, 2, 3].map((number) => `control-plane-${number}-api-vip`));
  expect(units[0]?.dependsOn).toContain("kubewright:kubeadm:ControlPlane control-plane-1-control-plane");
  expect(units[1]?.dependsOn).toContain("kubewright:host:Unit control-plane-1-api-vip");
  const { documents } = find(all, "control-plane-1-control-plane")?.inputs ?? {};
  expect(JSON.stringify(documents)).toContain('"10.77.0.250"');
  expect(find(all, "control-plane-1-packages")?.inputs).toMatchObject({
    packages: expect.arrayContaining(["haproxy", "keepalived"]) as string[],
    unusedServices: ["haproxy.service", "keepalived.service"],
  });
  expect(find(all, "worker-1-packages")?.inputs.packages).not.toContain("keepalived");
  const kubeconfig = all.find(({ type }) => type.endsWith(":Kubeconfig"));
  expect(kubeconfig?.inputs.endpoints).toEqual(Array(3).fill("10.77.0.250:6443"));
  expect(kubeconfig?.dependsOn).toContain("kubewright:host:Unit control-plane-3-api-vip");
});

test("a cluster without a virtual address has no unit for it", async () => {
  const all = await registered({ count: 3 });
  expect(all.filter(({ name }) => name.endsWith("-api-vip"))).toEqual([]);
  expect(find(all, "control-plane-1-packages")?.inputs.unusedServices).toEqual(["haproxy.service"]);
});
