import { expect, test } from "vitest";
import { mergedPath } from "../../../artifacts/debian";
import { builtRefs, imageSpecs, pulledRefs, refsByRole } from "../../../artifacts/images";
import { planTargets } from "../../../artifacts/modules";
import { kubeadmImagesOf, loadVersions } from "../../../artifacts/versions";

const versions = loadVersions();

test("the archives contain the images that kubeadm and the manifests use", () => {
  const specs = imageSpecs(versions, "1.36.3");
  expect(specs.worker.map((spec) => spec.ref)).toEqual([
    "registry.k8s.io/pause:3.10.2",
    "registry.k8s.io/kube-proxy:v1.36.3",
    "ghcr.io/flannel-io/flannel:v0.26.7",
    "registry.k8s.io/coredns/coredns:v1.14.7",
  ]);
  expect(specs["control-plane"].map((spec) => spec.ref)).toEqual([
    "registry.k8s.io/pause:3.10.2",
    "registry.k8s.io/kube-apiserver:v1.36.3",
    "registry.k8s.io/kube-controller-manager:v1.36.3",
    "registry.k8s.io/kube-scheduler:v1.36.3",
    "registry.k8s.io/etcd:3.6.8-0",
  ]);
  expect(specs.extras.map((spec) => spec.ref)).toEqual([
    "registry.k8s.io/e2e-test-images/agnhost:2.63.0",
    "registry.k8s.io/e2e-test-images/busybox:1.37.0-1",
  ]);
});

test.each(Object.keys(versions.kubernetes.supported))(
  "%s: the names given out are those in the archives",
  (kubernetes) => {
    const specs = imageSpecs(versions, kubernetes);
    const named = refsByRole(builtRefs(versions, kubernetes));
    expect(specs.worker.map((spec) => spec.ref)).toEqual(named.worker);
    expect(specs["control-plane"].map((spec) => spec.ref)).toEqual(named.controlPlane);
  },
);

test("pulled images have the versions of that minor's kubeadm", () => {
  expect(pulledRefs(versions, "1.35.4", kubeadmImagesOf(versions, "1.35.4"))).toMatchObject({
    pause: "registry.k8s.io/pause:3.10.1",
    etcd: "registry.k8s.io/etcd:3.6.6-0",
    coredns: "registry.k8s.io/coredns/coredns:v1.13.1",
  });
});

test("every binary in an image is one that is built", () => {
  const built = planTargets(versions, "1.36.3", "amd64", true).map((target) => target.name);
  const needed = Object.values(imageSpecs(versions, "1.36.3"))
    .flat()
    .flatMap((spec) => Object.values(spec.files));
  expect(needed.length).toBeGreaterThan(8);
  for (const name of needed) expect(built).toContain(name);
});

test.each([
  ["./bin/ip", "usr/bin/ip"],
  ["./lib/x86_64-linux-gnu/libc.so.6", "usr/lib/x86_64-linux-gnu/libc.so.6"],
  ["./lib64/ld-linux-x86-64.so.2", "usr/lib64/ld-linux-x86-64.so.2"],
  ["./usr/bin/nft", "usr/bin/nft"],
  ["./library/x", "library/x"],
])("%s lands in %s", (from, to) => expect(mergedPath(from)).toBe(to));
