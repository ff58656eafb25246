import { vi } from "vitest";
import type { ClusterStatus } from "../../../../cli/nodes/cluster-status";
import type { Options } from "../../../../cli/terminal/options";
import { type ClusterConfig, parseConfig } from "../../../../components/config";
import { fakeSession, fakeStack } from "../fake-stack";

/** The cluster of the upgrade's tests, what the user answers, and what the command printed. */
export const fake = {
  confirm: vi.fn<() => Promise<boolean>>(),
  up: vi.fn<(options: Options) => Promise<number>>(),
  check: vi.fn<(options: Options) => Promise<number>>(),
  config: {} as ClusterConfig,
  apiServers: [] as string[],
  nodes: [] as ClusterStatus["nodes"],
  problems: [] as string[],
  disks: [] as string[],
  output: "",
  errors: "",
};

/** Mocks of the modules around the command. Each test file passes them to `vi.mock`. */
export const session = { withSession: async (_: string, work: (one: unknown) => unknown) => await work(fakeSession()) };
export const workspace = { prepareEngine: async () => ({}) };
export const clusterApi = { clusterApi: async () => ({}), requireStack: async () => fakeStack() };
export const stackConfig = { readStackConfig: async () => fake.config };
export const facts = {
  readUpgradeStatus: async () => {
    const { nodes, problems } = fake;
    return { version: "", nodes, certificates: [], problems, warnings: [], healthy: true };
  },
  readDeprecatedApis: async () => [],
  readDisks: async () => fake.disks,
  readObstacles: async () => new Map(),
};
export const target = { assertTargetInstallable: async () => undefined, findEtcdPath: async () => ["3.6.6", "3.6.8"] };
export const plan = {
  readApiServers: async () => fake.apiServers.map((version) => ({ node: "control-plane-1", version })),
};

/** A healthy cluster, whose control plane and worker have one version. Every run of `up` succeeds. */
export function resetCluster(): void {
  fake.up.mockReset().mockResolvedValue(0);
  fake.check.mockReset().mockResolvedValue(0);
  fake.confirm.mockReset().mockResolvedValue(true);
  [fake.problems, fake.disks, fake.output, fake.errors] = [[], [], "", ""];
  process.stdin.isTTY = false;
  vi.spyOn(process.stdout, "write").mockImplementation((text) => ((fake.output += String(text)), true));
  vi.spyOn(process.stderr, "write").mockImplementation((text) => ((fake.errors += String(text)), true));
  configure({ kubernetes: { version: "1.35.4" } });
  run("1.35.4", "1.35.4");
}

export function configure(raw: object): void {
  const environment = { kubernetesVersions: ["1.36.3", "1.35.4", "1.34.4"], fileExists: () => true };
  fake.config = parseConfig({ workers: { count: 1 }, ...raw }, environment);
}

/** Sets the versions of the control plane and the worker. */
export function run(controlPlane: string, worker: string): void {
  fake.apiServers = [controlPlane];
  fake.nodes = [
    { name: "control-plane-1", pool: "control-plane", version: controlPlane, roles: ["control-plane"] } as never,
    { name: "worker-1", pool: "workers", version: worker, roles: [] } as never,
  ];
}

/** What each run of `up` removes from the configuration and sets in it. */
export function changes(): object[] {
  return fake.up.mock.calls.map(([{ removed, config: set }]) => ({ removed, set }));
}

/** What the first run of `up` removes from the configuration. */
export function removed(): readonly string[] | undefined {
  return fake.up.mock.calls[0]?.[0].removed;
}

export function upgradeOptions(values: Options["values"], flags: readonly string[]): Options {
  return { stack: "dev", config: {}, flags: new Set(flags), values, words: [] };
}
