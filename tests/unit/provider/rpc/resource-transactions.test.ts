import "reflect-metadata";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  apiKinds,
  createClusterCertificates,
  membershipKinds,
  type ClusterCertificates,
} from "../../../support/cluster-kinds";
import { fc } from "../../../support/fast-check";
import { deleteSources, machineKinds } from "../../../support/resource-kinds";
import { TransactionPaths, type Counts } from "../../../support/transaction-paths";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/instant-time"));
vi.mock("../../../../artifacts/restic", () => vi.importActual("../../../support/instant-restic"));
vi.mock("../../../../provider/host/health", () => ({ waitUntilHealthy: async () => undefined }));
// The proof and the restoration of a control plane's pods have tests of their own.
vi.mock("../../../../provider/kubeadm/apply-manifests", () => vi.importActual("../../../support/instant-manifests"));
vi.mock("../../../../provider/kubelet/discover", () => ({ discoverCa: async () => certificates.ca }));

const RUNS = Number(process.env.KUBEWRIGHT_FUZZ ?? 1);
const certificates: ClusterCertificates = { ca: "", client: "" };
const kinds = [...machineKinds, ...apiKinds, ...membershipKinds(certificates)];
const counts = new Map<string, Counts>();

beforeAll(async () => {
  await Promise.all([import("@kubernetes/client-node"), import("p-retry")]);
  Object.assign(certificates, await createClusterCertificates());
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterAll(() => {
  vi.useRealTimers();
  deleteSources();
});

describe("a failed step", () => {
  test.each(kinds.map((kind) => [kind.name, kind] as const))(
    "of %s leaves nothing that the next run does not complete or remove",
    async (name, kind) => {
      const total: Counts = { steps: 0, paths: 0 };
      counts.set(name, total);
      await fc.assert(
        fc.asyncProperty(kind.programs, fc.integer(), async (programs, seed) => {
          const paths = new TransactionPaths(kind, certificates.ca, programs, seed);
          await paths.run();
          total.steps += paths.counts.steps;
          total.paths += paths.counts.paths;
        }),
        { numRuns: RUNS, endOnFailure: true }, // Shrinking would repeat hundreds of paths.
      );
      expect(total.paths).toBeGreaterThan(0);
    },
    120_000,
  );
});

afterAll(() => {
  const all = [...counts.values()];
  const sum = (key: keyof Counts) => all.reduce((total, one) => total + one[key], 0);
  console.log(`transactions: ${counts.size} kinds, ${sum("steps")} steps failed, ${sum("paths")} paths compared`);
  for (const [name, { steps, paths }] of counts) console.log(`  ${name}: ${steps} steps, ${paths} paths`);
});
