import { expect, test } from "vitest";
import { kernelModules, kernelSysctls } from "../../../render/kernel";
import { containerFacts, facts } from "./samples";

const MAX = "net.netfilter.nf_conntrack_max";

test("a machine that can write conntrack's settings gets kube-proxy's defaults for its own CPUs", () => {
  expect(kernelSysctls(facts({ cpus: 2 }))).toMatchObject({
    [MAX]: "131072",
    "net.netfilter.nf_conntrack_tcp_timeout_established": "86400",
    "net.netfilter.nf_conntrack_tcp_timeout_close_wait": "3600",
  });
  expect(kernelSysctls(facts({ cpus: 16 }))[MAX]).toBe("524288");
});

test("a machine that cannot write them keeps its own", () => {
  expect(Object.keys(kernelSysctls(containerFacts)).filter((name) => name.includes("conntrack"))).toEqual([]);
});

test("the modules of the sysctls are loaded", () => {
  expect(kernelModules).toEqual(expect.arrayContaining(["br_netfilter", "nf_conntrack"]));
});
