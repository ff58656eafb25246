import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kubectlOf, nodeNames } from "../../support/cluster-client";
import { readStatus } from "../../support/cluster-status";
import { HaProbes, type Measurement, type Probe } from "../../support/ha-probes";
import { TestStack } from "../../support/test-stack";

const controlPlanes = (count: number) => Array.from({ length: count }, (_, index) => `control-plane-${index + 1}`);
/** Aims for each change. The times include those of a busy test host. */
const MOST_FAILURES = 3;
const LONGEST_GAP_MS = 6_000;

const stack = new TestStack("e2e-ha-replace");
let probes: HaProbes;

beforeAll(async () => {
  await stack.down("--force"); // left by a killed test run
  const { code, text } = await stack.up(...counts(3), "--config", "workers.count=1", "--config", "extras=true");
  expect(code, text).toBe(0);
  probes = await HaProbes.start(stack);
});

afterAll(async () => {
  await probes?.stop();
  await stack.down("--force");
  stack.removeFiles();
});

describe("while clients send requests", () => {
  test.each(controlPlanes(3))("%s is replaced", async (name) => {
    await measured(`${name} replaced`, "node:replace", name, "--yes");
    await expectMembers(3);
  });

  test("the next run changes nothing", async () => {
    expect((await stack.up()).text).toContain("Nothing to change");
  });

  test("the lost machine of the first control plane is built again", async () => {
    const [container = ""] = await stack.containers("control-plane-1");
    execFileSync("docker", ["rm", "--force", "--volumes", container]);
    await measured("control-plane-1 built again", "start", "--refresh");
    await expectMembers(3);
  });

  test("a control plane is reset, and joins again", async () => {
    await measured("control-plane-2 reset", "node:reset", "control-plane-2", "--yes");
    await expectMembers(2);
    await measured("control-plane-2 joined", "start");
    await expectMembers(3);
  });

  test("the cluster grows to five control planes", async () => {
    await measured("growth to 5", "start", ...counts(5));
    await expectMembers(5);
  });

  test("the cluster shrinks to one control plane", async () => {
    await measured("shrinking to 1", "start", ...counts(1));
    await expectMembers(1);
    expect(await nodeNames(await kubectlOf(stack))).toEqual(["control-plane-1", "worker-1"]);
  });
});

function counts(count: number): string[] {
  return ["--config", `controlPlane.count=${count}`];
}

/** Runs a command that must succeed, and checks what the clients noticed. */
async function measured(event: string, script: string, ...args: string[]): Promise<void> {
  const results = await probes.during(event, async () => {
    const { code, text } = await stack.npmRun(script, ...args);
    expect(code, text).toBe(0);
  });
  expectFewFailures(results);
}

function expectFewFailures(results: Record<Probe, Measurement>): void {
  expect(results.workload.failed).toBe(0);
  for (const probe of ["reads", "writes"] as const) {
    expect(results[probe].failed, probe).toBeLessThanOrEqual(MOST_FAILURES);
    expect(results[probe].longestGap, probe).toBeLessThan(LONGEST_GAP_MS);
  }
}

/** Checks etcd's members, of which all must be healthy. */
async function expectMembers(count: number): Promise<void> {
  const { etcd } = await readStatus(stack);
  expect(etcd?.members.filter(({ isHealthy }) => isHealthy)).toHaveLength(count);
  expect(etcd?.members).toHaveLength(count);
}
