import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { configureNewCluster } from "../../../../cli/engine/new-cluster";
import { configOf } from "../../../../components/program/program-config";
import { CLUSTER, fakeStack, type FakeResource } from "../fake-stack";

const changeStackConfig = vi.hoisted(() => vi.fn(async () => "changed"));
let sections: Record<string, string>;
vi.mock("../../../../cli/engine/stack-config", () => ({ changeStackConfig, readSections: async () => sections }));

const folder = mkdtempSync(join(tmpdir(), "kubewright-new-"));

beforeEach(() => {
  sections = { workers: '{"count":1}' };
  vi.stubEnv("PULUMI_BACKEND_URL", `file://${folder}`);
});

afterEach(() => {
  changeStackConfig.mockClear();
  vi.unstubAllEnvs();
  rmSync(join(folder, ".pulumi"), { recursive: true, force: true });
});

/** Returns whether the settings were added, and what was printed. */
async function configure(stack: Stack, isMissing = false) {
  const lines: string[] = [];
  await configureNewCluster(stack, configOf(sections), { isMissing, progress: (line) => void lines.push(line) });
  expect(lines.length).toBe(changeStackConfig.mock.calls.length);
  return changeStackConfig.mock.calls as unknown[];
}

const ENCRYPTED = { "security.encryption.provider": "secretbox" };
const VERIFIED = { "security.kubeletServingCertificates": "cluster" };
const KEYS = { "security.certificateKeys": "ECDSA-P256" };
const BEGUN = CLUSTER.filter(({ type }) => type === "kubewright:host:Host");

test.each<[string, readonly FakeResource[], boolean]>([
  ["that does not exist", [], true],
  ["without resources, after `down`", [], false],
  ["whose first run ended before kubeadm init", BEGUN, false],
])("a stack %s gets encrypted Secrets, verified kubelets and small keys", async (_what, resources, isMissing) => {
  const stack = fakeStack(resources);
  expect(await configure(stack, isMissing)).toEqual([[stack, { ...ENCRYPTED, ...VERIFIED, ...KEYS }]]);
});

test("an existing cluster keeps what it has", async () => {
  expect(await configure(fakeStack(CLUSTER))).toEqual([]);
});

test("the state of a file backend is read without Pulumi", async () => {
  mkdirSync(join(folder, ".pulumi", "stacks", "kubewright"), { recursive: true });
  writeFileSync(join(folder, ".pulumi", "stacks", "kubewright", "dev.json"), '{"type": "kubewright:kubeadm:Init"}');
  const exportStack = () => Promise.reject(new Error("Pulumi was asked"));
  expect(await configure(fakeStack([], { exportStack }))).toEqual([]);
});

test.each<[string, string, object]>([
  ["encryption", '{"encryption":{"provider":"off"}}', { ...VERIFIED, ...KEYS }],
  ["kubelets", '{"kubeletServingCertificates":"self-signed"}', { ...ENCRYPTED, ...KEYS }],
  ["keys", '{"certificateKeys":"RSA-4096"}', { ...ENCRYPTED, ...VERIFIED }],
])("the user's setting of %s is kept, and the others are added", async (_what, security, added) => {
  sections = { security };
  const stack = fakeStack();
  expect(await configure(stack, true)).toEqual([[stack, added]]);
});

test("nothing is added where the user has decided all of it", async () => {
  const security = { encryption: { provider: "off" }, kubeletServingCertificates: "unverified" };
  sections = { security: JSON.stringify({ ...security, certificateKeys: "RSA-2048" }) };
  expect(await configure(fakeStack(), true)).toEqual([]);
});

test("nothing is added for a cluster that is built by components", async () => {
  sections = { bootstrap: "components" };
  expect(await configure(fakeStack(), true)).toEqual([]);
});

test("an existing cluster with the settings of an older version keeps what it has", async () => {
  sections = { security: '{"encryption":{"provider":"secretbox"}}' };
  expect(await configure(fakeStack(CLUSTER))).toEqual([]);
});

test("another setting of the section does not prevent it", async () => {
  sections = { security: '{"encryption":{"keyGeneration":1}}' };
  expect(await configure(fakeStack(), true)).toHaveLength(1);
});
