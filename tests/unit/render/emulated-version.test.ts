import { expect, test } from "vitest";
import { emulatedVersionOf, withEmulation } from "../../../render/emulated-version";
import { initDocuments } from "../../../render/kubeadm";
import { initOptions } from "./samples";

test("all components of a control plane emulate the minor version before, unless the user sets the flag", () => {
  const flag = { "emulated-version": "kube=1.35" };
  expect(withEmulation(undefined, "1.36.3")).toEqual({ apiServer: flag, controllerManager: flag, scheduler: flag });
  const own = { apiServer: { "emulated-version": "kube=1.34", v: "4" }, etcd: { "max-txn-ops": "9" } };
  expect(withEmulation(own, "1.36.3")).toEqual({ ...own, controllerManager: flag, scheduler: flag });
});

test("the emulated version is read from kubeadm's configuration", () => {
  const cluster = (extraArgs?: object) =>
    initDocuments(initOptions({ ...(extraArgs ? { extraArgs } : {}) })).find(
      (document) => document.kind === "ClusterConfiguration",
    ) ?? {};
  expect(emulatedVersionOf(cluster(withEmulation(undefined, "1.36.3")))).toBe("1.35");
  expect(emulatedVersionOf(cluster())).toBeUndefined();
});
