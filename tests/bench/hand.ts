import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ArtifactSet } from "../../artifacts/index";
import { projectRoot } from "../../common/project-root";
import { run } from "../../common/process";
import { OwnMachine } from "../support/own-machine";

const SCRIPT = join(projectRoot(), "tests", "bench", "hand.sh");
/** Its place in the cluster's network, where none of the cluster's own machines is. */
const PLACE = 5;

export interface Ground {
  folder: string;
  /** The shell script's folder, prepared. */
  shell: string;
  artifacts: ArtifactSet;
  network: string;
  /** The control plane's address. */
  controlPlane: string;
  /** The key that opens the control plane. */
  keyPath: string;
  kubeconfig: string;
}

/**
 * One worker as a quick person adds, drains and replaces it: tests/bench/hand.sh, and the machine by the same calls of
 * Docker as ours.
 */
export class Hand {
  readonly name = "hand-1";
  private machine: OwnMachine | undefined;

  constructor(private readonly ground: Ground) {}

  async join(): Promise<void> {
    this.machine = await OwnMachine.start({ hostname: this.name, network: this.ground.network, place: PLACE });
    await this.script("join");
  }

  async drain(): Promise<void> {
    await this.script("drain");
  }

  /** @param back waits for the pods that moved */
  async replace(back: () => Promise<unknown>): Promise<void> {
    await this.script("leave");
    await this.removeFiles();
    await this.join();
    await back();
  }

  /** Off the cluster's network, so that this can go. */
  async removeFiles(): Promise<void> {
    await this.machine?.remove();
    this.machine = undefined;
  }

  private async script(verb: "join" | "drain" | "leave"): Promise<void> {
    const { folder, shell, artifacts, controlPlane, keyPath, kubeconfig } = this.ground;
    const sockets = join(folder, "sockets");
    mkdirSync(sockets, { recursive: true });
    const env = {
      NAME: this.name,
      IP: this.machine?.address ?? "",
      CP: controlPlane,
      CP_KEY: keyPath,
      KEY: this.machine?.keyPath ?? "",
      SHELL_REF: shell,
      EXTRAS: artifacts.images.kind === "archives" ? (artifacts.images.extras?.path ?? "") : "",
      SOCKETS: sockets,
      KUBECONFIG: kubeconfig,
      PATH: `${dirname(artifacts.binaries.kubectl.path)}:${process.env.PATH ?? ""}`,
    };
    // Its output goes to a file of its own: a connection that stays open would keep a pipe open too.
    const log = join(folder, `hand-${verb}.log`);
    const { exitCode } = await run(SCRIPT, [verb], {
      env,
      stdout: { file: log },
      stderr: { file: log },
      reject: false,
    });
    if (exitCode !== 0) throw new Error(`hand.sh ${verb} failed: see ${log}\n${await tail(log)}`);
    if (verb === "leave") rmSync(sockets, { recursive: true, force: true });
  }
}

async function tail(path: string): Promise<string> {
  const { stdout } = await run("tail", ["-n", "5", path], { reject: false });
  return typeof stdout === "string" ? stdout : "";
}
