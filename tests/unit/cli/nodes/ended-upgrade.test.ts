import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { endedUpgrade, settleUpgrade } from "../../../../cli/nodes/ended-upgrade";
import { isUpgradeEnding, parseConfig } from "../../../../components/config";
import { fakeStack } from "../fake-stack";

const environment = { kubernetesVersions: ["1.36.3", "1.35.4", "1.34.4"], fileExists: () => true };
const UPGRADING = { before: "1.35.4", to: "1.36.3" };

let folder: string;
vi.mock("../../../../cli/engine/paths", async (original) => ({
  ...(await original<object>()),
  stackConfigFile: (stack: string) => join(folder, `Pulumi.${stack}.yaml`),
}));
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-ended-upgrade-"));
  writeFileSync(join(folder, "Pulumi.dev.yaml"), "before");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function configOf(kubernetes: object, others: object = {}) {
  return parseConfig(
    { kubernetes: { version: "1.36.3", upgrading: UPGRADING, ...kubernetes }, ...others },
    environment,
  );
}

/** A stack with a kubernetes section, and the changes of it. */
function stackOf(kubernetes: object) {
  const changes: unknown[] = [];
  const stack = fakeStack([], {
    getAllConfig: async () => ({ "kubewright:kubernetes": { value: JSON.stringify(kubernetes) } }),
    removeConfig: async (path: string) => void changes.push(path),
    setAllConfig: async (all: object) => void changes.push(all),
  });
  return { stack, changes };
}

test("an upgrade whose pause was removed from the configuration ends with the next run", () => {
  expect(isUpgradeEnding(configOf({}))).toBe(true);
  expect(isUpgradeEnding(configOf({ upgrading: { before: "1.34.4", to: "1.35.4" } }))).toBe(true);
});

test.each([
  ["a pause", { hold: { workers: "1.35.4" } }, {}],
  ["additional machines", { additional: { workers: 1 } }, {}],
  ["an emulated version", {}, { controlPlane: { emulate: "previous" } }],
  ["a later minor version", { version: "1.35.4", upgrading: { before: "1.34.4", to: "1.36.3" } }, {}],
  ["no record", { upgrading: undefined }, {}],
])("an upgrade with %s does not end with it", (_, kubernetes, others) => {
  expect(isUpgradeEnding(configOf(kubernetes, others))).toBe(false);
});

test("the end removes what an upgrade has written, and returns the canaries", () => {
  const removed = {
    "kubernetes.upgrading": undefined,
    "kubernetes.hold": undefined,
    "kubernetes.additional": undefined,
    "kubernetes.canary": undefined,
    "kubernetes.canaryAfter": undefined,
  };
  const written = { canary: ["worker-2"], canaryAfter: ["worker-1"] };
  expect(endedUpgrade(configOf(written))).toEqual({ ...removed, "kubernetes.canary[0]": "worker-1" });
  // The name of a removed worker would be refused without the record.
  const names = { canary: ["worker-9", "worker-2"], hold: { "worker-9": "1.35.4" } };
  expect(isUpgradeEnding(configOf(names))).toBe(true);
  expect(endedUpgrade(configOf(names))).toEqual({ ...removed, "kubernetes.canary[0]": "worker-2" });
});

test("a successful run removes the record of an upgrade that it has ended, and reports it", async () => {
  const { stack, changes } = stackOf({ version: "1.36.3", upgrading: UPGRADING, canary: ["worker-1"] });
  expect(await settleUpgrade(stack)).toBe(
    "The upgrade to 1.36.3 has ended; kubernetes.upgrading was removed from Pulumi.dev.yaml.",
  );
  expect(changes).toContain("kubernetes.upgrading");
  expect(changes.at(-1)).toEqual({ "kubernetes.canary[0]": { value: "worker-1" } });
});

test("a run leaves the record of an upgrade that is paused, and names the command that continues", async () => {
  const { stack, changes } = stackOf({ version: "1.36.3", upgrading: UPGRADING, hold: { workers: "1.35.4" } });
  expect(await settleUpgrade(stack)).toMatch(
    /^Not upgraded yet: the upgrade is paused: pool workers stays on 1\.35\.4 .*`npm run upgrade -- --resume`\.$/,
  );
  expect(changes).toEqual([]);
  expect(await settleUpgrade(stackOf({ version: "1.36.3" }).stack)).toBeUndefined();
});

test("a run between two minor versions of an upgrade that was killed names the target", async () => {
  const kubernetes = { version: "1.35.4", upgrading: { before: "1.34.4", to: "1.36.3" } };
  expect(await settleUpgrade(stackOf(kubernetes).stack)).toBe(
    "Not upgraded yet: the upgrade to 1.36.3 is at 1.35.4; continue with `npm run upgrade -- --resume`.",
  );
});
