import { describe, expect, test } from "vitest";
import {
  keepKubeletAuthority,
  keepPlace,
  verifiesKubelets,
  withKubeletAuthority,
  withoutKubeletAuthority,
} from "../../../../provider/kubeadm/kubelet-authority";
import { initDocuments } from "../../../../render/kubeadm";

const FLAG = "--kubelet-certificate-authority=/etc/kubernetes/pki/ca.crt";
const manifestOf = (...flags: string[]) =>
  ["spec:", "  containers:", "  - command:", "    - kube-apiserver", ...flags.map((flag) => `    - ${flag}`), ""].join(
    "\n",
  );
const BEFORE = manifestOf("--etcd-servers=x", "--kubelet-client-certificate=a", "--kubelet-client-key=b");
const AFTER = manifestOf("--etcd-servers=x", FLAG, "--kubelet-client-certificate=a", "--kubelet-client-key=b");

describe("the manifest of an API server", () => {
  test("gets the flag", () => {
    expect(withKubeletAuthority(BEFORE)).toBe(AFTER);
    expect(verifiesKubelets(BEFORE)).toBe(false);
    expect(verifiesKubelets(AFTER)).toBe(true);
  });

  test("that has the flag stays as it is", () => {
    expect(withKubeletAuthority(AFTER)).toBe(AFTER);
  });

  test("without the flag is that of before", () => {
    expect(withoutKubeletAuthority(AFTER)).toBe(BEFORE);
    expect(withoutKubeletAuthority(BEFORE)).toBe(BEFORE);
  });

  test("that kubeadm renders keeps the flag where it is, unless something else changes", () => {
    const flags = ["--etcd-servers=x", "--kubelet-client-certificate=a", "--kubelet-client-key=b"];
    expect(keepPlace(manifestOf(...flags, FLAG), AFTER)).toBe(AFTER);
    const changed = manifestOf(...flags, "--profiling=false", FLAG);
    expect(keepPlace(changed, AFTER)).toBe(changed);
    expect(keepPlace(BEFORE, AFTER)).toBe(BEFORE);
    expect(keepPlace(AFTER, BEFORE)).toBe(AFTER);
    expect(keepPlace(AFTER)).toBe(AFTER);
  });

  test("that kubeadm has not written is refused", () => {
    expect(() => withKubeletAuthority(manifestOf("--etcd-servers=x"))).toThrow("has no --kubelet-client-certificate");
  });
});

describe("the documents of a control plane", () => {
  const documents = initDocuments({
    kubernetesVersion: "1.36.3",
    node: { name: "cp-1", address: "10.0.0.1", facts: { cgroupVersion: 2 }, imagesSideLoaded: true },
    controlPlanes: 1,
    network: { podCidr: "10.244.0.0/16", serviceCidr: "10.10.0.0/16" },
    proxyMode: "nftables",
    verifiesKubelets: true,
  });
  const hasFlag = (all: readonly object[]) => JSON.stringify(all).includes("kubelet-certificate-authority");

  test("have the flag for a new one", () => {
    expect(hasFlag(documents)).toBe(true);
    expect(hasFlag(keepKubeletAuthority(documents))).toBe(true);
  });

  test("lose only the flag where the API server runs without it", () => {
    const kept = keepKubeletAuthority(documents, BEFORE);
    expect(hasFlag(kept)).toBe(false);
    const flag = { name: "kubelet-certificate-authority", value: "/etc/kubernetes/pki/ca.crt" };
    const { apiServer } = documents[1] as { apiServer: { extraArgs: object[] } };
    expect(apiServer.extraArgs).toContainEqual(flag);
    const others = apiServer.extraArgs.filter((one) => JSON.stringify(one) !== JSON.stringify(flag));
    expect(kept[1]).toEqual({ ...documents[1], apiServer: { ...apiServer, extraArgs: others } });
  });

  test("keep the flag where the API server has it", () => {
    expect(keepKubeletAuthority(documents, AFTER)).toEqual(documents);
  });
});
