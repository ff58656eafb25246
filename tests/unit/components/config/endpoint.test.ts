import { describe, test } from "vitest";
import { refused } from "./samples";

const routed = { machines: { kind: "hetzner" }, network: { flannel: { backend: "vxlan" } } };

describe("the endpoint for clients outside", () => {
  test.each<[unknown, string, string]>([
    [{ controlPlane: { endpoint: { kind: "external" } } }, "controlPlane.endpoint.address", "is missing"],
    [{ controlPlane: { endpoint: { kind: "vip" } } }, "controlPlane.endpoint.address", "is missing"],
    [
      { controlPlane: { endpoint: { kind: "vip", address: "10.0.0.9:6443" } } },
      "controlPlane.endpoint.address",
      "does not fit an endpoint of kind vip",
    ],
    [
      { controlPlane: { endpoint: { kind: "external", address: "10.0.0.9" } } },
      "controlPlane.endpoint.address",
      "does not fit an endpoint of kind external",
    ],
    [
      { bootstrap: "components", controlPlane: { endpoint: { kind: "vip", address: "10.0.0.9" } } },
      "controlPlane.endpoint.kind",
      "cannot be vip",
    ],
    [
      { controlPlane: { endpoint: { address: "api:6443" } } },
      "controlPlane.endpoint.address",
      "is not used by an endpoint of kind nodes",
    ],
    [
      { controlPlane: { endpoint: { kind: "loadBalancer" } } },
      "controlPlane.endpoint.kind",
      "machines of kind docker, for which Kubewright creates no load balancer",
    ],
    [
      { ...routed, controlPlane: { machines: { kind: "docker" }, endpoint: { kind: "loadBalancer" } } },
      "controlPlane.endpoint.kind",
      "machines of kind docker, for which",
    ],
    [
      { ...routed, controlPlane: { endpoint: { kind: "loadBalancer", address: "api:6443" } } },
      "controlPlane.endpoint.address",
      "is not used by an endpoint of kind loadBalancer",
    ],
    [
      { ...routed, bootstrap: "components", controlPlane: { endpoint: { kind: "loadBalancer" } } },
      "controlPlane.endpoint.kind",
      "cannot be loadBalancer: a cluster that is built by components",
    ],
  ])("%j", refused);
});
