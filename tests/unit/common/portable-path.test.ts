import { expect, test } from "vitest";
import { isSamePath, localPath, portableCachePath, portablePath } from "../../../common/portable-path";

const a = { project: "/home/a/work/lab", home: "/home/a", cache: "/home/a/.cache/kubewright" };
const b = { project: "/srv/lab", home: "/root", cache: "/var/cache/kubewright" };

test.each([
  ["/home/a/work/lab/.kubewright/dev/kubeconfig", ".kubewright/dev/kubeconfig", "/srv/lab/.kubewright/dev/kubeconfig"],
  ["/home/a/.ssh/id_ed25519", "~/.ssh/id_ed25519", "/root/.ssh/id_ed25519"],
  ["/etc/keys/id", "/etc/keys/id", "/etc/keys/id"],
  ["/home/a-b/id", "/home/a-b/id", "/home/a-b/id"],
  ["~/.ssh/id", "~/.ssh/id", "/root/.ssh/id"],
])("%s is recorded as %s, which is %s on another computer", (path, recorded, other) => {
  expect(portablePath(path, a)).toBe(recorded);
  expect(localPath(recorded, b)).toBe(other);
});

test("a file in the cache has the same recorded path on every computer", () => {
  const recorded = "$KUBEWRIGHT_CACHE/artifacts/kubelet-1.36.3/kubelet";
  expect(portableCachePath(`${a.cache}/artifacts/kubelet-1.36.3/kubelet`)).toBe(recorded);
  expect(portableCachePath(recorded)).toBe(recorded);
  expect(localPath(recorded, b)).toBe("/var/cache/kubewright/artifacts/kubelet-1.36.3/kubelet");
});

test.each([
  ["/home/a/work/lab/.kubewright/dev/kubeconfig", "/srv/lab/.kubewright/dev/kubeconfig", true],
  ["/home/a/work/lab/.kubewright/dev/kubeconfig", ".kubewright/dev/kubeconfig", true],
  ["/home/a/.kube/config", "~/.kube/config", true],
  ["/home/a/work/lab/.kubewright/dev/kubeconfig", ".kubewright/prod/kubeconfig", false],
  ["/etc/one", "/etc/two", false],
  [".kubewright/dev/kubeconfig", "kubeconfig", false],
])("a state of another computer that has %s means %s: %s", (recorded, path, same) => {
  expect(isSamePath(recorded, path, b)).toBe(same);
});
