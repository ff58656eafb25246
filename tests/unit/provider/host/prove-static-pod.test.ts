import { expect, test } from "vitest";
import { parsePodManifest } from "../../../../provider/host/prove-static-pod";
import { manifestOf } from "../../../support/static-pod-machine";

const withProbe = (probe: string) => `spec: {containers: [{name: a, ${probe}}, {name: b}]}`;

test("the endpoint is that of the readiness probe, and a named port is resolved", () => {
  expect(parsePodManifest(manifestOf("kube-apiserver"))).toEqual({
    containers: ["kube-apiserver"],
    endpoint: { scheme: "HTTPS", host: "10.0.0.1", port: 6443, path: "/readyz" },
  });
});

test("without a readiness probe it is that of the liveness probe", () => {
  expect(parsePodManifest(withProbe("livenessProbe: {httpGet: {port: 80, path: /healthz}}"))).toEqual({
    containers: ["a", "b"],
    endpoint: { scheme: "HTTP", port: 80, path: "/healthz" },
  });
});

test.each([
  ["no probe", withProbe("image: x")],
  ["a probe that is no request", withProbe("livenessProbe: {exec: {command: [x]}}")],
  ["a port that is not listed", withProbe("livenessProbe: {httpGet: {port: http}}")],
])("%s means no endpoint", (_, manifest) => {
  expect(parsePodManifest(manifest)).toEqual({ containers: ["a", "b"], endpoint: undefined });
});

test.each(["", "a: b: c", "spec: {}"])("a manifest that is no pod has no containers: %j", (manifest) => {
  expect(parsePodManifest(manifest)).toEqual({ containers: [], endpoint: undefined });
});
