import { join } from "node:path";
import { expect, test } from "vitest";
import { parseConfig } from "../../../../components/config";
import { createFromConfig } from "../../../../components/configured-cluster";
import { recordRegistrations } from "../../../support/registrations";

/** Returns the inputs of the resources of a type, with a project in the working folder. */
async function inputsOf(type: string, vagrant: object): Promise<Record<string, unknown>[]> {
  const raw = { machines: { kind: "vagrant", vagrant } };
  const config = parseConfig(raw, { kubernetesVersions: ["1.36.3"], fileExists: () => true });
  const place = { name: "dev", folder: join(process.cwd(), ".kubewright", "dev"), kubeconfig: "kubeconfig" };
  const all = await recordRegistrations(() => void createFromConfig(config, place));
  return all.filter((one) => one.type === `kubewright:vagrant:${type}`).map(({ inputs }) => inputs);
}

test("machines are in the folder of the stack, wherever a computer has the project", async () => {
  const machines = await inputsOf("Machine", { box: "fedora/41-cloud-base" });
  expect(machines.length).toBeGreaterThan(1);
  for (const { folder } of machines) expect(folder).toBe(".kubewright/dev/vagrant");
});

test.each([
  [join(process.cwd(), "lab", "Vagrantfile"), "lab/Vagrantfile"],
  ["lab/Vagrantfile", "lab/Vagrantfile"],
  ["~/lab/Vagrantfile", "~/lab/Vagrantfile"],
  ["/srv/lab/Vagrantfile", "/srv/lab/Vagrantfile"],
])("the Vagrantfile %s of the user is recorded as %s", async (vagrantfile, recorded) => {
  const machines = await inputsOf("ExistingMachine", { vagrantfile });
  expect(machines.length).toBeGreaterThan(1);
  for (const machine of machines) expect(machine.vagrantfile).toBe(recorded);
});
