import type { Deployment } from "@pulumi/pulumi/automation";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { abandonedMachines, recordRecoverySettings } from "../../../../cli/engine/recovery-settings";
import { CLUSTER, fakeStack, urnOf } from "../fake-stack";

const PROVIDER = "pulumi:providers:kubewright";
const ACCEPTED = { acceptHostKeys: { "worker-1": "SHA256:new" } };

/** Returns the state that is imported, or undefined if nothing is. */
async function record(recorded: string | undefined, configured: unknown) {
  const settings = { workers: "{}", ...(recorded === undefined ? {} : { recovery: recorded }) };
  const provider = { type: PROVIDER, name: "default", inputs: settings, outputs: settings };
  let imported: Deployment | undefined;
  const importStack = async (state: Deployment) => void (imported = state);
  await recordRecoverySettings(fakeStack([...CLUSTER, provider], { importStack }), "kubewright", configured);
  return imported?.deployment as { resources: { type: string; urn: string; inputs: object }[] } | undefined;
}

test("a host key that was accepted since the last run becomes a setting of the provider", async () => {
  const state = await record(undefined, ACCEPTED);
  const settings = { workers: "{}", recovery: JSON.stringify(ACCEPTED) };
  expect(state?.resources.at(-1)).toEqual({
    type: PROVIDER,
    urn: urnOf(PROVIDER, "default"),
    inputs: settings,
    outputs: settings,
  });
  expect(state?.resources).toHaveLength(CLUSTER.length + 1);
  expect(state?.resources[0]?.inputs).toEqual(CLUSTER[0]?.inputs);
});

test("a newer value replaces the recorded one", async () => {
  const state = await record('{"acceptHostKeys":{"worker-1":"SHA256:old"}}', { abandoned: ["worker-1"] });
  expect(state?.resources.at(-1)?.inputs).toMatchObject({ recovery: '{"abandoned":["worker-1"]}' });
});

test("the state is not written when it has the configured settings", async () => {
  expect(await record('{ "acceptHostKeys": { "worker-1": "SHA256:new" } }', ACCEPTED)).toBeUndefined();
});

test("a recorded value that is not JSON is replaced", async () => {
  expect((await record("{", ACCEPTED))?.resources.at(-1)?.inputs).toMatchObject({ recovery: JSON.stringify(ACCEPTED) });
});

test("the abandoned machines are those of the stack's configuration file", () => {
  const folder = mkdtempSync(join(tmpdir(), "kubewright-recovery-"));
  vi.stubEnv("KUBEWRIGHT_PROJECT", folder);
  const configure = (text: string) => writeFileSync(join(folder, "Pulumi.dev.yaml"), text);
  expect(abandonedMachines("dev", "kubewright")).toEqual([]);
  configure("config: { 'kubewright:recovery': { abandoned: [worker-1] } }");
  expect(abandonedMachines("dev", "kubewright")).toEqual(["worker-1"]);
  configure("config: { 'kubewright:recovery': { acceptHostKeys: {} } }");
  expect(abandonedMachines("dev", "kubewright")).toEqual([]);
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});
