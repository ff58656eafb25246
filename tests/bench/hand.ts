import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ArtifactSet } from "../../artifacts/index";
import { projectRoot } from "../../common/project-root";
import { run } from "../../common/process";
import { OwnMachine } from "../support/own-machine";

export const HAND_SCRIPT = join(projectRoot(), "tests", "bench", "hand.sh");
/** Its slot in the cluster's network, which no machine of the cluster has. */
const HOST_NUMBER = 5;

export interface ManualSetup {
  folder: string;
  /** The prepared folder of the shell script. */
  shell: string;
  artifacts: ArtifactSet;
  network: string;
  /** Address of the control plane. */
  controlPlane: string;
  /** Key of the control plane. */
  keyPath: string;
  kubeconfig: string;
}

/**
 * Adds, drains and replaces one worker as a quick operator would: tests/bench/hand.sh, with the same Docker calls for
 * the machine.
 */
export class ManualWorker {
  readonly name = "hand-1";
  private machine: OwnMachine | undefined;

  constructor(private readonly setup: ManualSetup) {}

  async join(): Promise<void> {
    this.machine = await OwnMachine.start({
      hostname: this.name,
      network: this.setup.network,
      hostNumber: HOST_NUMBER,
    });
    await this.script("join");
  }

  async drain(): Promise<void> {
    await this.script("drain");
  }

  /** @param back waits for the moved pods */
  async replace(waitForPods: () => Promise<unknown>): Promise<void> {
    await this.script("leave");
    await this.removeFiles();
    await this.join();
    await waitForPods();
  }

  /** Disconnects it from the cluster's network, so that the network can be removed. */
  async removeFiles(): Promise<void> {
    await this.machine?.remove();
    this.machine = undefined;
  }

  private async script(verb: "join" | "drain" | "leave"): Promise<void> {
    const { folder, shell, artifacts, controlPlane, keyPath, kubeconfig } = this.setup;
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
    // Its output goes to a file: a connection that stays open would keep a pipe open too.
    const log = join(folder, `hand-${verb}.log`);
    const { exitCode } = await run(HAND_SCRIPT, [verb], {
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
