import { afterAll, beforeAll, expect, test } from "vitest";
import { RotatedCluster } from "../../support/rotated-cluster";

const CONTROL_PLANES = ["control-plane-1", "control-plane-2", "control-plane-3"];

const cluster = new RotatedCluster("e2e-rotate-ca-ha");
const { stack } = cluster;

beforeAll(async () => await cluster.create("--config", "controlPlane.count=3"));
afterAll(async () => await cluster.remove());

test.each(["trust", "reissue", "drop"])("phase %s under load, one control plane after the other", async (phase) => {
  if (phase !== "trust") await cluster.restartWorkload();
  const { text } = await cluster.rotate(phase);
  const proved = [...text.matchAll(/(control-plane-\d)[^\n]*: phase \w+ is proved/g)].map(([, name]) => name);
  expect(proved).toEqual(CONTROL_PLANES);
});

test("all members of etcd and all API servers have the new CAs only", async () => {
  for (const name of CONTROL_PLANES)
    for (const file of ["ca.crt", "etcd/ca.crt", "front-proxy-ca.crt", "sa.pub"])
      expect(await cluster.count(name, file)).toBe(1);
  const { text } = await stack.npmRun("status");
  expect(text).toMatch(/3 members/);
});
