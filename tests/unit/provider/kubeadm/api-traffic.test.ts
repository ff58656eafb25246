import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { withoutTraffic } from "../../../../provider/kubeadm/api-traffic";
import type { Remote } from "../../../../provider/ssh/remote";
import { BALANCER_ANSWER, BALANCER_CONFIG, BALANCER_SOCKET } from "../../../../render/api-balancer";
import { MemoryMachine } from "../../../support/memory-machine";

const NODE = "cp-1";

let folder: string;
let machine: MemoryMachine;
let events: string[];
let messages: string[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-traffic-"));
  events = [];
  messages = [];
  machine = new MemoryMachine().on(/answer\.sh/, (script) => runScript(script));
  command("sleep", `echo $1 >> ${folder}/slept`);
  command("socat", `cat ${folder}/stat`);
  file("socket", "");
  file("config", "    default-server check agent-inter 3s\n");
  // The balancers follow the answer.
  file(
    "answer.sh",
    `echo $1 >> ${folder}/answers; [ $1 != drain ] || sed -i '/,${NODE},/s/UP/DRAIN (agent)/' ${folder}/stat`,
  );
  servers(`${NODE} UP`, "cp-2 UP", "cp-3 DOWN");
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = (name: string, content: string) => writeFileSync(join(folder, name), content);
function command(name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
}

/** Writes what haproxy prints for `show stat`: the status is the 18th column. */
function servers(...all: string[]): void {
  const line = (server: string) => {
    const [name = "", status = ""] = server.split(" ");
    return `apiservers,${name}${",".repeat(16)}${status}`;
  };
  file("stat", ["# the names of the columns", ...[...all, "BACKEND UP"].map(line), ""].join("\n"));
}

function runScript(script: string) {
  const local = script
    .replaceAll(`[ -S ${BALANCER_SOCKET} ]`, `[ -e ${folder}/socket ]`)
    .replaceAll(BALANCER_ANSWER, `${folder}/answer.sh`)
    .replaceAll(BALANCER_CONFIG, `${folder}/config`);
  try {
    return execFileSync("sh", ["-c", local], { env: { PATH: `${folder}:${process.env.PATH}` } }).toString();
  } catch (error) {
    return { code: (error as { status: number }).status };
  }
}

const answers = () =>
  existsSync(join(folder, "answers")) ? readFileSync(join(folder, "answers"), "utf8").split("\n").filter(Boolean) : [];
const run = (work: () => Promise<void> = async () => undefined, signal = new AbortController().signal) => {
  const collect = (message: string) => void messages.push(message);
  const context = machine.context({ info: collect, warn: collect, signal });
  return withoutTraffic(context, machine as unknown as Remote, NODE, async () => {
    events.push(`work after ${answers().join()}`);
    await work();
  });
};

describe("a control plane", () => {
  test("is out of the balancers during the work, and back in after it", async () => {
    await run();
    expect(events).toEqual(["work after drain"]);
    expect(answers()).toEqual(["drain", "ready"]);
    expect(messages).toEqual([]);
  });

  test("gives the balancers of all nodes their interval to ask, and a second more", async () => {
    await run();
    expect(readFileSync(join(folder, "slept"), "utf8").trim().split("\n").at(-1)).toBe("4");
  });

  test("is back in after work that fails", async () => {
    const failed = run(() => Promise.reject(new Error("unhealthy")));
    await expect(failed).rejects.toThrow("unhealthy");
    expect(answers()).toEqual(["drain", "ready"]);
  });

  test("stays out when the run is interrupted, until the time limit or the next run", async () => {
    const interrupt = new AbortController();
    const failed = run(async () => {
      interrupt.abort();
      throw new Error("interrupted work");
    }, interrupt.signal);
    await expect(failed).rejects.toThrow("interrupted work");
    expect(answers()).toEqual(["drain"]);
  });

  test("stays in where no other one is ready", async () => {
    servers(`${NODE} UP`, "cp-2 DRAIN", "cp-3 DOWN");
    await run();
    expect(events).toEqual(["work after "]);
    expect(messages).toEqual([expect.stringContaining("no other API server is ready")]);
  });

  test("without another one is not taken out", async () => {
    servers(`${NODE} no`);
    await run();
    expect(events).toEqual(["work after "]);
    expect(answers()).toEqual([]);
    expect(messages).toEqual([]);
  });

  test("without a balancer is not taken out", async () => {
    rmSync(join(folder, "answer.sh"));
    await run();
    expect(events).toEqual(["work after "]);
    expect(messages).toEqual([]);
  });

  test("whose balancer does not follow is reported, and the work is done", async () => {
    file("answer.sh", `echo $1 >> ${folder}/answers`);
    await run();
    expect(events).toEqual(["work after drain"]);
    expect(answers()).toEqual(["drain", "ready"]);
    expect(messages).toEqual([expect.stringContaining("not taken out of the API balancers (exit code 1)")]);
  });
});
