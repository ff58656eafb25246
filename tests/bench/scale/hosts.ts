import { fork, type ChildProcess } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Connection } from "../../../contracts/connection";
import type { Seen } from "../../support/ssh-emulator";

export interface HostsSetting {
  hosts: number;
  latencyMs: number;
  /** Hosts that refuse the key until `heal`. */
  failing: number[];
}

export type Request = "heal" | "count" | "stop";
export interface HostsMessage {
  connections?: Connection[];
  seen?: Seen;
}

/** Emulated hosts in a separate process, so that their CPU time is not counted as the provider's. */
export class Hosts {
  private constructor(
    private readonly child: ChildProcess,
    readonly connections: readonly Connection[],
  ) {}

  static async start(setting: HostsSetting): Promise<Hosts> {
    const child = fork(join(__dirname, "hosts-process.ts"), [JSON.stringify(setting)], {
      execArgv: ["--import", createRequire(__filename).resolve("tsx")],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    const { connections = [] } = await nextMessage(child);
    return new Hosts(child, connections);
  }

  async ask(request: Request): Promise<HostsMessage> {
    const answer = nextMessage(this.child);
    this.child.send(request);
    return await answer;
  }

  stop(): void {
    this.child.kill();
  }
}

function nextMessage(child: ChildProcess): Promise<HostsMessage> {
  return new Promise((done, fail) => {
    child.once("message", done);
    child.once("exit", (code) => fail(new Error(`the emulator ended with code ${code}`)));
  });
}
