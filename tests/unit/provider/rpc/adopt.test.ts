import "reflect-metadata";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createProviderContext } from "../../../../provider/context/context";
import { hostKeyResource } from "../../../../provider/resources/host-key";
import { rosterResource } from "../../../../provider/resources/roster";
import { DEFAULT_SETTINGS } from "../../../../provider/settings/settings";
import { allResources } from "../../../../provider/resources/all-resources";
import {
  apiKinds,
  createClusterCertificates,
  membershipKinds,
  type ClusterCertificates,
} from "../../../support/cluster-kinds";
import { fc } from "../../../support/fast-check";
import { MemoryEngine, type Json } from "../../../support/memory-engine";
import { deleteSources, machineKinds } from "../../../support/resource-kinds";
import { World, type ResourceKind } from "../../../support/resource-world";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/instant-time"));
vi.mock("../../../../artifacts/restic", () => vi.importActual("../../../support/instant-restic"));
vi.mock("../../../../provider/host/health", () => ({ waitUntilHealthy: async () => undefined }));
vi.mock("../../../../provider/kubeadm/apply-manifests", () => vi.importActual("../../../support/instant-manifests"));
vi.mock("../../../../provider/kubelet/discover", () => ({ discoverCa: async () => certificates.ca }));

const certificates: ClusterCertificates = { ca: "", client: "" };
/** Of kubeadm's clusters, and whose machine works with every program. */
const kinds = [...machineKinds, ...apiKinds, ...membershipKinds(certificates)].filter(({ fails }) => !fails);
const named = (list: readonly ResourceKind[]) => list.map((kind) => [kind.name, kind] as const);
const adoptable = named(kinds.filter(({ handler }) => handler.adopt));
const others = named(kinds.filter(({ handler }) => !handler.adopt));

beforeAll(async () => {
  await Promise.all([import("@kubernetes/client-node"), import("p-retry")]);
  Object.assign(certificates, await createClusterCertificates());
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterAll(() => {
  vi.useRealTimers();
  deleteSources();
});

async function created(kind: ResourceKind, program: Json): Promise<World> {
  const world = new World(kind, certificates.ca);
  await world.up(program);
  return world;
}

async function forEachProgram(kind: ResourceKind, check: (programs: readonly [Json, Json, Json]) => Promise<void>) {
  await fc.assert(fc.asyncProperty(kind.programs, check), { numRuns: 3, endOnFailure: true });
}

describe("an adoption", () => {
  test.each(adoptable)("of %s records what its creation has recorded, and changes nothing", async (_name, kind) => {
    await forEachProgram(kind, async ([program]) => {
      const world = await created(kind, program);
      await world.engine.refresh();
      const [state, before] = [world.engine.state, world.snapshot()];
      await world.adopt(program);
      await world.engine.refresh();
      expect(world.engine.state).toEqual(state);
      expect(world.snapshot()).toEqual(before);
      expect(await world.up(program)).toEqual([]);
    });
  });

  test.each(adoptable)("of %s with another configuration lets the next run apply it", async (_name, kind) => {
    await forEachProgram(kind, async ([program, other]) => {
      const world = await created(kind, program);
      const before = world.snapshot();
      await world.adopt(other);
      await world.engine.refresh();
      expect(world.snapshot()).toEqual(before);
      await world.up(other);
      kind.verify?.(world, other);
      await world.engine.refresh();
      expect(await world.up(other)).toEqual([]);
    });
  });

  test.each(others)("of %s is refused, and nothing is recorded", async (_name, kind) => {
    await forEachProgram(kind, async ([program]) => {
      const world = await created(kind, program);
      await expect(world.adopt(program)).rejects.toThrow(/cannot be adopted/);
      expect(world.engine.state).toBeUndefined();
    });
  });
});

test("a difference that no refresh finds is left to the next update", async () => {
  const [kind] = kinds.filter(({ name }) => name === "kubeadm ControlPlane");
  const programOf = (clusterName: string): Json => ({
    node: "worker-1",
    documents: [{ apiVersion: "kubeadm.k8s.io/v1beta4", kind: "ClusterConfiguration", clusterName }],
  });
  const [before, after] = [programOf("one"), programOf("two")];
  const world = await created(kind!, before);
  await world.adopt(after);
  await world.engine.refresh();
  expect(await world.up(after)).toEqual(["update"]);
  expect(await world.up(after)).toEqual([]);
});

test("an update and a removal are refused while the run adopts", async () => {
  const context = createProviderContext({ ...DEFAULT_SETTINGS, adopting: true });
  const engine = new MemoryEngine(rosterResource, () => context);
  await engine.up({ members: ["a"], run: "1" });
  await expect(engine.up({ members: ["a", "b"], run: "2" })).rejects.toThrow(/update failed: an adoption changes/);
  await expect(engine.destroy()).rejects.toThrow(/delete failed: an adoption changes nothing/);
  expect(engine.state?.outputs.since).toEqual({ a: "1" });
});

test("every kind is adopted that a cluster of kubeadm has, except keys that only the state had", () => {
  const without = allResources.filter(({ adopt }) => !adopt).map(({ contract }) => contract.type);
  expect(without).toContain(hostKeyResource.contract.type);
  expect(without.sort()).toEqual([
    "kubewright:host:StaticPod",
    "kubewright:kubelet:Join",
    "kubewright:local:HostKey",
    "kubewright:pki:Authority",
    "kubewright:pki:Certificate",
    "kubewright:pki:KeyPair",
  ]);
});
