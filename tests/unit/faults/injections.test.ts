import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { FaultContext } from "../../faults/cell";
import { KILL_SESSIONS, cutSessions, dropPackets, killComponent, restartSshd } from "../../faults/injections";

/** A context whose machines answer each script with the next line; the last line repeats. */
function contextWith(...answers: string[]) {
  const on = vi.fn(async (_machine: string, _script: string) => (answers.length > 1 ? answers.shift() : answers[0]));
  const cluster = { on, controlPlane: "control-plane-1" };
  return { on, context: { cluster, operation: { target: "worker-2" }, pid: 1 } as unknown as FaultContext };
}

afterEach(() => void vi.useRealTimers());

/** Runs a fault. `late` moves the clock past its deadline. */
async function outcomeOf(work: Promise<unknown>, { late = false } = {}): Promise<unknown> {
  const outcome = work.then(
    () => "hit",
    (error: Error) => error.message,
  );
  if (late) vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 61_000 });
  return await outcome;
}

describe.each([
  ["cutSessions", cutSessions],
  ["restartSshd", restartSshd],
])("%s", (_name, inject) => {
  test("waits for a session and succeeds when it has killed one", async () => {
    const { context, on } = contextWith("", "0", "2");
    expect(await outcomeOf(inject(context))).toBe("hit");
    expect(on).toHaveBeenCalledTimes(3);
    expect(on).toHaveBeenLastCalledWith("worker-2", expect.stringContaining("kill -KILL"));
  });

  test("fails when no session was open until its deadline", async () => {
    expect(await outcomeOf(inject(contextWith("").context), { late: true })).toBe(
      "the fault hit nothing: no SSH session was open",
    );
  });
});

describe("dropPackets", () => {
  test("drops the packets of the open connections, and removes the rules afterwards", async () => {
    const { context, on } = contextWith("40022,40024");
    const undo = await dropPackets(context);
    expect(on).toHaveBeenLastCalledWith("worker-2", expect.stringContaining("tcp sport { 40022,40024 } drop"));
    await undo();
    expect(on).toHaveBeenLastCalledWith("worker-2", expect.stringContaining("nft delete table"));
  });

  test("fails when no connection was open", async () => {
    expect(await outcomeOf(dropPackets(contextWith("").context), { late: true })).toMatch(/no SSH connection was open/);
  });
});

describe("killComponent", () => {
  test("kills the program on the control plane", async () => {
    const { context, on } = contextWith("", "killed");
    expect(await outcomeOf(killComponent("etcd")(context))).toBe("hit");
    expect(on).toHaveBeenLastCalledWith("control-plane-1", expect.stringContaining("pkill -KILL -x etcd"));
  });

  test("fails when the program does not run", async () => {
    expect(await outcomeOf(killComponent("etcd")(contextWith("").context), { late: true })).toMatch(
      /etcd does not run/,
    );
  });
});

test("KILL_SESSIONS kills a session and prints the number of ended ones", async () => {
  // The title of this process must not match real sessions of this computer.
  const script = KILL_SESSIONS.replaceAll("^sshd(-session)?: [^/]", "^kubewright-session-of-test");
  const run = async () => (await promisify(execFile)("sh", ["-c", script])).stdout.trim();
  const session = spawn("bash", ["-c", "exec -a kubewright-session-of-test sleep 60"]);
  const ended = once(session, "exit");
  await expect.poll(run, { timeout: 5_000 }).toBe("1");
  expect(await ended).toEqual([null, "SIGKILL"]);
  expect(await run()).toBe("");
});
