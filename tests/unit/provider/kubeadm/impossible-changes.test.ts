import { describe, expect, test } from "vitest";
import {
  findImpossibleChanges,
  findImpossibleUpgrade,
  findLostEncryption,
  hasOtherControlPlanes,
} from "../../../../provider/kubeadm/impossible-changes";
import { initDocuments } from "../../../../render/kubeadm";
import { initOptions } from "../../render/samples";

const ALL = ["cp-1", "cp-2", "cp-3"];
type Options = Parameters<typeof initDocuments>[0];

function inputs(changes: Partial<Options> = {}, controlPlanes = ["cp-1", "cp-2", "cp-3"], instance = "id-1") {
  return { instance, controlPlanes, documents: initDocuments(initOptions(changes)) };
}

function found(now: ReturnType<typeof inputs>, old = inputs()): string[] {
  return findImpossibleChanges(now, old).map(({ path, reason }) => `${path}: ${reason}`);
}

test("accepts an unchanged cluster, and changes that the control plane can take", () => {
  expect(found(inputs())).toEqual([]);
  expect(found(inputs({ extraArgs: { apiServer: { profiling: "false" } } }))).toEqual([]);
  expect(found(inputs({}, ["cp-1", "cp-2", "cp-3"]), inputs({}, ["cp-1"]))).toEqual([]);
  expect(found(inputs({}, ["cp-1", "cp-2", "cp-3"]), inputs({}, ["cp-1", "cp-2", "cp-3", "cp-4", "cp-5"]))).toEqual([]);
});

test.each<[string, Partial<Options>, RegExp]>([
  [
    "network.podCidr",
    { network: { podCidr: "10.99.0.0/16", serviceCidr: "10.10.0.0/16" } },
    /^network\.podCidr: cannot change from 10\.244\.0\.0\/16 to 10\.99.*; set it back, or run `npm run down`/,
  ],
  [
    "network.serviceCidr",
    { network: { podCidr: "10.244.0.0/16", serviceCidr: "10.11.0.0/16" } },
    /^network\.serviceCidr: cannot change from 10\.10\.0\.0\/16 to 10\.11\.0\.0\/16/,
  ],
])("refuses a change of an existing cluster: %s", (_, changes, message) => {
  const problems = found(inputs(changes));
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(message);
});

test("allows another endpoint, to which the nodes change one after the other", () => {
  expect(found(inputs({ controlPlaneEndpoint: "api.dev.internal:7443" }))).toEqual([]);
});

describe("another version of a control plane", () => {
  const upgrade = (to: string, from = "1.35.4", node: Options["node"] = initOptions().node) =>
    findImpossibleUpgrade(
      { instance: "id-1", documents: initDocuments(initOptions({ kubernetesVersion: to, node })) },
      { instance: "id-1", documents: initDocuments(initOptions({ kubernetesVersion: from, node })) },
    ).map(({ path, reason }) => `${path}: ${reason}`);

  test("may be a patch release, or the next minor version", () => {
    expect(upgrade("1.35.4")).toEqual([]);
    expect(upgrade("1.35.9")).toEqual([]);
    expect(upgrade("1.36.3")).toEqual([]);
  });

  test("is refused where it is older, or skips a minor version, with the way out", () => {
    expect(upgrade("1.34.4")).toEqual([
      "kubernetes.version: Kubernetes cannot be downgraded from 1.35.4 to 1.34.4; set it back to 1.35.4",
    ]);
    expect(upgrade("1.37.0")).toEqual([
      expect.stringMatching(/^kubernetes\.version: .*cannot skip a minor version.*npm run upgrade -- --to 1\.37\.0/),
    ]);
  });

  const emulating = (minor: string) => ({ apiServer: { "emulated-version": `kube=${minor}` } });
  const change = (to: Partial<Options>, from: Partial<Options>) =>
    findImpossibleUpgrade(
      { instance: "id-1", documents: initDocuments(initOptions(to)) },
      { instance: "id-1", documents: initDocuments(initOptions(from)) },
    ).map(({ path, reason }) => `${path}: ${reason}`);

  test("may be undone to a patch release, or to the minor version that the control planes emulate", () => {
    expect(upgrade("1.35.2")).toEqual([]);
    const from = { kubernetesVersion: "1.36.3", extraArgs: emulating("1.35") };
    expect(change({ kubernetesVersion: "1.35.4" }, from)).toEqual([]);
    expect(change({ kubernetesVersion: "1.34.4" }, from)).toEqual([expect.stringMatching(/cannot be downgraded/)]);
  });

  test("is not undone to an older etcd, which could not read the data", () => {
    const from = { kubernetesVersion: "1.36.3", etcdImageTag: "3.7.0-0", extraArgs: emulating("1.35") };
    expect(change({ kubernetesVersion: "1.35.4", etcdImageTag: "3.6.6-0" }, from)).toEqual([
      "kubernetes.version: etcd 3.6.6 cannot read the data of etcd 3.7.0; keep the version",
    ]);
    expect(change({ kubernetesVersion: "1.35.4", etcdImageTag: "3.7.0-0" }, from)).toEqual([]);
    expect(
      change({ kubernetesVersion: "1.35.4", etcdImageTag: "3.6.6-0" }, { ...from, etcdImageTag: "3.6.8-0" }),
    ).toEqual([]);
  });

  test("is not emulated later, when newer objects may be stored already; the emulation may end", () => {
    const [without, withFlag] = [
      { kubernetesVersion: "1.36.3" },
      { kubernetesVersion: "1.36.3", extraArgs: emulating("1.35") },
    ];
    expect(change(withFlag, without)).toEqual([
      expect.stringMatching(/^controlPlane\.emulate: .* has run 1\.36\.3 without it/),
    ]);
    expect(change(without, withFlag)).toEqual([]);
  });

  test("is refused with Docker where the kubelet gets a new feature gate", () => {
    const node = { ...initOptions().node, runtime: "docker" as const };
    expect(upgrade("1.36.3", "1.35.4", node)).toEqual([expect.stringMatching(/runtime docker is not supported yet/)]);
    expect(upgrade("1.35.4", "1.34.4", node)).toEqual([]);
  });

  test("is not compared with what another machine had, or with nothing", () => {
    const documents = (version: string) => initDocuments(initOptions({ kubernetesVersion: version }));
    const now = { instance: "id-2", documents: documents("1.30.0") };
    expect(findImpossibleUpgrade(now, { instance: "id-1", documents: documents("1.36.3") })).toEqual([]);
    expect(findImpossibleUpgrade(now, {})).toEqual([]);
  });
});

test("encryption is not switched off while Secrets are encrypted", () => {
  const withEncryption = (encryption: boolean, instance = "id-1") => ({
    instance,
    documents: initDocuments(initOptions({ encryption })),
  });
  const problems = findLostEncryption(withEncryption(false), withEncryption(true));
  expect(problems).toEqual([
    { path: "security.encryption.provider", reason: expect.stringContaining("set identity") as string },
  ]);
  for (const [now, old] of [
    [withEncryption(true), withEncryption(true)],
    [withEncryption(true), withEncryption(false)],
    [withEncryption(false, "id-2"), withEncryption(true)],
  ] as const)
    expect(findLostEncryption(now, old)).toEqual([]);
});

test("several control planes become one: leader election stays on", () => {
  expect(found(inputs({}, ["cp-1"]))).toEqual([]);
});

test("a rebuilt first control plane joins again, and the cluster is protected from replacement", () => {
  const [rebuilt, old] = ["id-2", "id-1"].map((id) =>
    inputs({ controlPlaneEndpoint: "api.dev.internal:7443" }, ALL, id),
  );
  expect(found(rebuilt!, old)).toEqual([]);
  expect(hasOtherControlPlanes(rebuilt!, old!)).toBe(true);
});

test("a rebuilt first control plane whose address is the cluster's endpoint cannot join", () => {
  const { address } = initOptions({}).node;
  const [rebuilt, old] = ["id-2", "id-1"].map((id) => inputs({ controlPlaneEndpoint: `${address}:6443` }, ALL, id));
  expect(found(rebuilt!, old)).toEqual([
    expect.stringMatching(/^instance: the machine at .* was rebuilt, and all nodes use that address/),
  ]);
});

test("the network of a cluster stays while its first control plane is rebuilt", () => {
  const changed = { network: { podCidr: "10.99.0.0/16", serviceCidr: "10.10.0.0/16" }, controlPlaneEndpoint: "api:1" };
  expect(found(inputs(changed, ALL, "id-2"), inputs({ controlPlaneEndpoint: "api:1" }))).toEqual([
    expect.stringMatching(/^network\.podCidr: cannot change/),
  ]);
});

test("a rebuilt machine of the only control plane is initialized again", () => {
  const only = inputs({}, ["cp-1"]);
  expect(found(inputs({}, ["cp-1"], "id-2"), only)).toEqual([]);
  expect(hasOtherControlPlanes(inputs({}, ["cp-1"], "id-2"), only)).toBe(false);
});

test("a rebuilt machine's new cluster may have other settings", () => {
  const changes = { kubernetesVersion: "1.35.4", controlPlaneEndpoint: "api:6443" };
  expect(found(inputs(changes, ["cp-1"], "id-2"), inputs({}, ["cp-1"]))).toEqual([]);
});

test("checks nothing that is unknown, and nothing that an older version did not record", () => {
  expect(findImpossibleChanges({}, inputs())).toEqual([]);
  expect(findImpossibleChanges(inputs({}, ["cp-1"], "id-2"), { documents: inputs().documents })).toEqual([]);
});
