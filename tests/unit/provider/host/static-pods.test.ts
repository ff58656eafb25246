import { describe, expect, test } from "vitest";
import {
  countExits,
  currentUids,
  parsePodState,
  readPodLog,
  readPodState,
} from "../../../../provider/host/static-pods";
import { ScriptedMachine } from "../../../support/scripted-machine";

const { signal } = new AbortController();
const started = (uid: string, last: number) => `started /var/log/pods/kube-system_etcd-cp-1_${uid}/etcd/ ${last}`;
const running = (uid: string, id: string) => `running ${uid} etcd ${id}`;
const parse = (...lines: string[]) => parsePodState(lines.join("\n"));

describe("the state of a static pod", () => {
  test("has the starts of each container, newest pod first, and what runs", () => {
    expect(parse(started("new", 2), started("old", 0), running("new", "c3"))).toEqual({
      started: [
        { uid: "new", container: "etcd", starts: 3 },
        { uid: "old", container: "etcd", starts: 1 },
      ],
      running: [{ uid: "new", container: "etcd", id: "c3" }],
    });
  });

  test("is without the sandbox that Docker lists, and empty on a machine without the pod", () => {
    expect(parse("running u1 POD c1", "")).toEqual({ started: [], running: [] });
  });

  test("is read for a pod whose name has no place in a shell", async () => {
    const machine = new ScriptedMachine(() => ({}));
    await readPodState(machine.remote, "x; reboot", signal);
    expect(machine.scripts.join()).not.toMatch(/(?<!')x; reboot(?!')/);
  });
});

test("the current pod is the one that runs, else the one that ran last", () => {
  expect([...currentUids(parse(started("new", 0), started("old", 0), running("old", "c1")))]).toEqual(["old"]);
  expect([...currentUids(parse(started("new", 0), started("old", 0)))]).toEqual(["new"]);
});

test("exits are the starts of the counted pods without those that run", () => {
  const state = parse(started("new", 2), started("old", 5), running("new", "c3"));
  expect(countExits(state, (uid) => uid === "new")).toBe(2);
  expect(countExits(parse(started("new", 2)), () => true)).toBe(3);
});

describe("the log of a static pod", () => {
  const log = async (...lines: string[]) =>
    await readPodLog(new ScriptedMachine(() => ({ stdout: lines.join("\n") })).remote, "etcd-cp-1", signal);

  test("is the errors, without the runtime's prefix and without the help that follows them", async () => {
    const prefix = "2026-11-26T07:00:24.618442665Z stderr F ";
    const help = ["Usage:", "", "  etcd [flags]", "    Start an etcd server with an invalid flag.", ""];
    expect(await log(...["flag provided but not defined: -x", ...help].map((line) => prefix + line))).toBe(
      "flag provided but not defined: -x",
    );
  });

  test("is read from Docker's JSON too", async () => {
    expect(await log(String.raw`{"log":"Error: unknown flag: --x\n","stream":"stderr","time":"t"}`)).toBe(
      "Error: unknown flag: --x",
    );
  });

  test("is the last lines where none is an error", async () => {
    expect(await log("1", "2", "3", "4", "5", "6", "")).toBe("2\n3\n4\n5\n6");
  });
});
