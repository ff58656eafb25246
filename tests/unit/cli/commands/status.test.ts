import type { Stack } from "@pulumi/pulumi/automation";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { KubeApi } from "../../../../provider/kube/api";
import { run } from "../../../../cli/commands/status";
import type { Options } from "../../../../cli/terminal/options";
import { CLUSTER, fakeApi, fakeSession, fakeStack } from "../fake-stack";

let api: () => Promise<KubeApi>;
let stack: Stack | undefined;
let drift: { op: string; name: string }[];
let output: string;
let failures: string[];
let explanation: Error | undefined;

vi.mock("../../../../cli/engine/workspace", () => ({
  PROJECT: "kubewright",
  prepareEngine: async () => ({}),
  findStack: async () => stack,
}));
vi.mock("../../../../cli/engine/session", async () => ({
  withSession: async (_stack: string, work: (session: unknown) => Promise<number>, failureCode: number) =>
    work(fakeSession(() => api())).catch((error: unknown) => (failures.push(String(error)), failureCode)),
}));
vi.mock("../../../../cli/preview/drift", () => ({
  readDrift: async () => ({ drift: drift.map(({ name }) => ({ resource: name })) }),
}));

vi.mock("node:timers/promises", () => ({
  setTimeout: (ms: number) => new Promise((resolve) => setTimeout(resolve, ms)),
}));
vi.mock("../../../../cli/engine/quorum-loss", () => ({ explainQuorumLoss: async () => explanation }));

const options = (...flags: string[]): Options => ({
  stack: "dev",
  config: {},
  flags: new Set(flags),
  values: {},
  words: [],
});

beforeEach(() => {
  stack = fakeStack(CLUSTER.filter(({ type }) => type !== "kubewright:kubeadm:Init"));
  api = async () => fakeApi({ name: "worker-1" });
  drift = [];
  output = "";
  [failures, explanation] = [[], undefined];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((output += String(text)), true));
});
afterEach(() => vi.restoreAllMocks());

vi.mock("../../../../cli/nodes/certificate-status", async (original) => ({
  ...(await original<object>()),
  readCertificateReport: async () => ({ certificates: [], problems: [], warnings: [] }),
}));

test("exit code 0: the cluster is healthy", async () => {
  expect(await run(options())).toBe(0);
  expect(output).toMatch(/healthy\n$/);
});

test("exit code 1: the cluster is unhealthy", async () => {
  api = async () => fakeApi({ name: "worker-1", ready: false });
  expect(await run(options("json"))).toBe(1);
  expect(JSON.parse(output)).toMatchObject({ healthy: false, problems: [expect.stringContaining("NotReady")] });
});

test("exit code 1: machines differ from the configuration", async () => {
  drift = [{ op: "update", name: "Unit worker-1-kubelet" }];
  expect(await run(options("drift"))).toBe(1);
  expect(output).toContain("drift         1: Unit worker-1-kubelet");
});

test("exit code 3: the API does not answer", async () => {
  api = () => Promise.reject(new Error("refused"));
  expect(await run(options())).toBe(3);
});

test("exit code 3: there is no such stack", async () => {
  stack = undefined;
  expect(await run(options())).toBe(3);
});

test("exit code 3: a lost majority of etcd is explained instead of the API's error", async () => {
  api = () => Promise.reject(new Error("the API does not answer"));
  explanation = new Error("etcd has no majority");
  expect(await run(options())).toBe(3);
  expect(failures).toEqual(["Error: etcd has no majority"]);
});

test("exit code 3: an API that never answers does not delay the explanation", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout"] });
  api = () => new Promise(() => undefined);
  explanation = new Error("etcd has no majority");
  const status = run(options());
  await vi.advanceTimersByTimeAsync(6_000);
  expect(await status).toBe(3);
  expect(failures).toEqual(["Error: etcd has no majority"]);
  vi.useRealTimers();
});
