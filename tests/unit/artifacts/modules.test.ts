import { expect, test } from "vitest";
import { stagingReplaces } from "../../../artifacts/go";
import { planTargets, targetKey, type Target } from "../../../artifacts/modules";
import { DOCKER_BINARIES, IMAGE_BINARIES, NODE_BINARIES } from "../../../common/binary-names";
import { loadVersions } from "../../../artifacts/versions";

const versions = loadVersions();

test("what is built is exactly what machines and images need", () => {
  const names = planTargets(versions, "1.36.3", "amd64", true).map((target) => target.name);
  expect(names.sort()).toEqual([...NODE_BINARIES, ...IMAGE_BINARIES].sort());
});

test("test images' programs are built on demand only", () => {
  const names = planTargets(versions, "1.36.3", "amd64", false).map((target) => target.name);
  expect(names).not.toContain("agnhost");
  expect(names).toContain("pause");
});

test("with Docker there is cri-dockerd too, built with its own go.mod's versions", () => {
  const targets = planTargets(versions, "1.36.3", "amd64", true, "docker");
  expect(targets.map((target) => target.name).sort()).toEqual(
    [...NODE_BINARIES, ...IMAGE_BINARIES, ...DOCKER_BINARIES].sort(),
  );
  expect(targets.filter(({ recipe }) => recipe?.inPlace).map(({ name }) => name)).toEqual(["cri-dockerd"]);
});

test("Kubernetes' version is stamped, as kubeadm demands", () => {
  const kubeadm = find("kubeadm", "1.35.4");
  expect(kubeadm.recipe?.version).toBe("v1.35.4");
  for (const stamp of [
    "component-base/version.gitVersion=v1.35.4",
    "gitMajor=1",
    "gitMinor=35",
    "client-go/pkg/version.gitVersion=v1.35.4",
  ]) {
    expect(kubeadm.recipe?.ldflags).toContain(stamp);
  }
});

test("runc has seccomp and is static", () => {
  expect(find("runc").recipe).toMatchObject({ cgo: true, tags: ["seccomp", "netgo", "osusergo"] });
  expect(find("runc").recipe?.ldflags).toContain("-extldflags -static");
});

test("another recipe is another entry", async () => {
  const runc = find("runc");
  const keys = [
    runc,
    { ...runc, recipe: runc.recipe && { ...runc.recipe, tags: [] } },
    { ...runc, arch: "arm64" as const },
  ].map(targetKey);
  expect(new Set(await Promise.all(keys)).size).toBe(3);
});

test("every line of Kubernetes' go.mod that leads into its own tree is replaced, and no other", () => {
  const goMod = [
    "module k8s.io/kubernetes",
    "replace github.com/x => github.com/y v1.0.0",
    "replace (",
    "\tk8s.io/api => ./staging/src/k8s.io/api",
    "\tk8s.io/kubectl => ./staging/src/k8s.io/kubectl",
    ")",
    "replace k8s.io/client-go => ./staging/src/k8s.io/client-go",
    "require k8s.io/klog/v2 v2.130.1",
  ].join("\n");
  expect(stagingReplaces(goMod, "v1.36.3")).toEqual([
    "replace k8s.io/api => k8s.io/api v0.36.3",
    "replace k8s.io/kubectl => k8s.io/kubectl v0.36.3",
    "replace k8s.io/client-go => k8s.io/client-go v0.36.3",
  ]);
});

function find(name: string, kubernetes = "1.36.3"): Target {
  const found = planTargets(versions, kubernetes, "amd64", true).find((target) => target.name === name);
  if (!found) throw new Error(`${name} is not planned`);
  return found;
}
