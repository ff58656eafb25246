import { beforeEach, expect, test, vi } from "vitest";
import { readHealthProblems, type HealthProblem } from "../../../../provider/kube/health-gate";
import { soak } from "../../../../provider/kubelet/soak";
import { testContext } from "../../../support/context";
import { settle, useFakeTime } from "../../../support/fake-time";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
vi.mock("../../../../provider/kube/health-gate", () => ({ readHealthProblems: vi.fn() }));
useFakeTime();

const NOT_READY = { key: "node worker-2", detail: "node worker-2 is not Ready: no report" };

let messages: string[];
beforeEach(() => {
  messages = [];
  vi.mocked(readHealthProblems).mockReset();
});

/** Each check finds the next list of problems; the last one stays. */
function finding(...lists: HealthProblem[][]): void {
  vi.mocked(readHealthProblems).mockImplementation(async () => (lists.length > 1 ? lists.shift() : lists[0]) ?? []);
}

async function run(before: HealthProblem[] = []): Promise<number> {
  const start = Date.now();
  const context = testContext({ info: (text) => void messages.push(text) });
  await settle(soak(context, {} as never, { node: "worker-1", seconds: 60, controlPlanes: [], before }));
  return Math.round((Date.now() - start) / 1_000);
}

test("ends when the cluster has stayed healthy for the whole time", async () => {
  finding([]);
  expect(await run()).toBe(60);
  expect(messages).toEqual(["worker-1: the cluster stayed healthy for 60 s after the upgrade of this node"]);
});

test("ends with the first problem that two checks find", async () => {
  finding([], [], [NOT_READY]);
  await expect(run()).rejects.toThrow(
    /on worker-1: node worker-2 is not Ready: no report \(after 15 of 60 s\); the other nodes keep their version/,
  );
});

test("goes on after a problem that the next check does not find", async () => {
  finding([NOT_READY], [], [NOT_READY], []);
  expect(await run()).toBe(60);
});

test("does not count a problem from before the upgrade", async () => {
  finding([NOT_READY]);
  expect(await run([NOT_READY])).toBe(60);
});

test("ends where the API stays away", async () => {
  vi.mocked(readHealthProblems).mockRejectedValue(new Error("connection refused"));
  await expect(run()).rejects.toThrow(/the API does not answer: connection refused \(after 5 of 60 s\)/);
});
