import { beforeEach, expect, test, vi } from "vitest";
import { cachedArtifacts, findReleaseProblem, loadVersions } from "../../../../artifacts";
import { assertTargetInstallable, findEtcdPath, newestVersion } from "../../../../cli/nodes/upgrade-target";
import { controllerArch } from "../../../../components/machines/machine";

vi.mock("../../../../artifacts", async (original) => ({
  ...(await original<object>()),
  findReleaseProblem: vi.fn(),
  cachedArtifacts: vi.fn(),
}));
beforeEach(() => {
  vi.mocked(findReleaseProblem).mockReset();
  vi.mocked(cachedArtifacts).mockReset().mockResolvedValue(undefined);
});

const config = { source: "https://mirror", runtime: "docker" } as const;
const never = new AbortController().signal;

test("the default target is the newest listed version, or that of a cluster with a newer one", () => {
  expect(newestVersion(["1.34.4", "1.36.3", "1.35.4"])).toBe("1.36.3");
  expect(newestVersion(["1.36.11", "1.36.3", "1.35.4"])).toBe("1.36.11");
});

test("asks the cluster's source for the target, and names what it answers", async () => {
  vi.mocked(findReleaseProblem).mockResolvedValue({ reason: "the server returned HTTP 404", action: "use 1.36.3" });
  await expect(assertTargetInstallable("1.36.9", config, never)).rejects.toThrow(
    "planning the upgrade failed: the server returned HTTP 404; use 1.36.3",
  );
  const arch = controllerArch();
  expect(findReleaseProblem).toHaveBeenCalledWith({ ...config, kubernetes: "1.36.9", arch }, never);
});

test("accepts a target that the source has", async () => {
  await expect(assertTargetInstallable("1.36.9", config, never)).resolves.toBeUndefined();
});

test("the path of etcd has the versions of the cached images, or of the listed downloads", async () => {
  const listed = loadVersions().kubernetes.supported;
  const etcdOf = (version: string) => listed[version]?.etcd.replace(/-\d+$/, "");
  const [to, before] = Object.keys(listed);
  expect(await findEtcdPath("3.5.24", [before!, to!], config)).toEqual(["3.5.24", etcdOf(before!), etcdOf(to!)]);
  vi.mocked(cachedArtifacts).mockResolvedValue({ refs: { etcd: "localhost:5000/etcd:3.6.8-0" } } as never);
  expect(await findEtcdPath("3.6.6", [before!, to!], { ...config, source: "auto" })).toEqual(["3.6.6", "3.6.8"]);
  expect(await findEtcdPath("3.6.8", [to!], config)).toEqual(["3.6.8"]);
});

test("the path of etcd is empty where a version is not known", async () => {
  expect(await findEtcdPath("3.6.6", ["1.36.3"], { ...config, source: "auto" })).toEqual([]);
  expect(await findEtcdPath("3.6.6", ["1.36.3"], { ...config, source: "modules" })).toEqual([]);
  expect(await findEtcdPath("3.6.6", ["1.36.9"], config)).toEqual([]);
  expect(await findEtcdPath(undefined, ["1.36.3"], config)).toEqual([]);
});
