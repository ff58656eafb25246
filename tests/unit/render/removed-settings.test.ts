import { expect, test } from "vitest";
import {
  gateRemovedIn,
  gatesInFlag,
  kubeletFlagRemovedIn,
  withoutRemovedFlags,
} from "../../../render/removed-settings";

test("a flag or gate is removed from the release on that no longer has it", () => {
  expect(kubeletFlagRemovedIn("pod-infra-container-image", "1.34.4")).toBeUndefined();
  expect(kubeletFlagRemovedIn("pod-infra-container-image", "1.35.0")).toBe("1.35");
  expect(kubeletFlagRemovedIn("v", "1.36.3")).toBeUndefined();
  expect(kubeletFlagRemovedIn("constructor", "1.36.3")).toBeUndefined();
  expect(gateRemovedIn("PodIndexLabel", "1.34.4")).toBeUndefined();
  expect(gateRemovedIn("PodIndexLabel", "1.36.3")).toBe("1.35");
  expect(gateRemovedIn("MemoryManager", "1.35.4")).toBeUndefined();
  expect(gateRemovedIn("MemoryManager", "1.36.3")).toBe("1.36");
  expect(gateRemovedIn("NoSuchGate", "1.36.3")).toBeUndefined();
});

test("names the gates of a flag", () => {
  expect(gatesInFlag("MemoryManager=true, PodIndexLabel=false")).toEqual(["MemoryManager", "PodIndexLabel"]);
  expect(gatesInFlag("")).toEqual([]);
});

test("kubeadm's flags lose only what the new kubelet does not accept", () => {
  const image = "--pod-infra-container-image=registry.k8s.io/pause:3.10.1";
  const flags = (...all: string[]) => `KUBELET_KUBEADM_ARGS="${all.join(" ")}"\n`;
  expect(withoutRemovedFlags(flags("--a=b", image, "--node-ip=10.0.0.1"), "1.35.4")).toBe(
    flags("--a=b", "--node-ip=10.0.0.1"),
  );
  expect(withoutRemovedFlags(flags("--a=b", image), "1.36.3")).toBe(flags("--a=b"));
  expect(withoutRemovedFlags(flags(image), "1.35.4")).toBe(flags());
  expect(withoutRemovedFlags(flags("--a=b", image), "1.34.4")).toBe(flags("--a=b", image));
});
