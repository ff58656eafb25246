import { join } from "node:path";
import type { ArtifactSet } from "../../artifacts/index";
import { networkName } from "../../provider/docker/network";
import { run } from "../../common/process";
import { manifest } from "../support/manifests";
import { kubectlOf } from "../support/cluster-client";
import { TestStack } from "../support/test-stack";
import { ManualWorker, type ManualSetup } from "./hand";
import type { MachineLoad } from "./load";

export const VERBS = ["join", "drain", "replace"] as const;
export type Verb = (typeof VERBS)[number];
/** Seconds, one per round. */
export type Times = Record<Verb, number[]>;

export interface NodeResults {
  ours: Times;
  hand: Times;
  /** Load of the machine before each measurement. */
  loads: MachineLoad[];
  /** Why the shell script did not run. */
  without?: string;
}

const WORKER = "worker-2";

/**
 * Joins, drains and replaces one worker, alternating between `npm run node:*` and manual commands, on one cluster. The
 * drained node has all four pods of a Deployment, with a budget that allows one disruption.
 */
export class NodesBench {
  private readonly stack = new TestStack("bench-nodes");
  private kubectl: (...args: string[]) => Promise<string> = () => Promise.reject(new Error("there is no cluster yet"));
  private kubeconfig = "";
  readonly results: Omit<NodeResults, "loads"> = {
    ours: { join: [], drain: [], replace: [] },
    hand: { join: [], drain: [], replace: [] },
  };

  constructor(private readonly signal: AbortSignal) {}

  async begin(): Promise<void> {
    await this.command("start", "--config", "extras=true", "--config", "workers.count=1");
    this.kubectl = await kubectlOf(this.stack);
    this.kubeconfig = await this.stack.kubeconfig();
    await this.kubectlWith(manifest("web.yaml"), "apply", "-f", "-");
    await this.rolledOut();
  }

  async end(): Promise<void> {
    await this.stack.npmRunQuietly("down", "--yes", "--force");
    this.stack.removeFiles();
  }

  async ours(): Promise<void> {
    const { ours } = this.results;
    await timed(ours.join, () => this.command("node:join", "--pool", "workers"));
    await this.gather(WORKER);
    await timed(ours.drain, () => this.command("node:drain", WORKER));
    await this.command("node:uncordon", WORKER);
    await this.gather(WORKER);
    await timed(ours.replace, () => this.command("node:replace", WORKER, "--yes"));
    await this.command("start", "--config", "workers.count=1");
  }

  async manual(folder: string, shell: string, artifacts: ArtifactSet): Promise<void> {
    const { hand: times } = this.results;
    const hand = new ManualWorker(await this.manualSetup(folder, shell, artifacts));
    try {
      await timed(times.join, () => hand.join());
      await this.gather(hand.name);
      await timed(times.drain, () => hand.drain());
      await this.kubectl("uncordon", hand.name);
      await this.gather(hand.name);
      await timed(times.replace, () => hand.replace(() => this.rolledOut()));
      await this.kubectl("delete", "node", hand.name);
    } finally {
      await hand.removeFiles();
    }
    await this.rolledOut();
  }

  private async manualSetup(folder: string, shell: string, artifacts: ArtifactSet): Promise<ManualSetup> {
    const { stackId } = await this.stack.outputs();
    const keyPath = join(this.stack.stackFolder, "id_ed25519");
    const controlPlane = await this.kubectl(
      "get",
      "node",
      "control-plane-1",
      "-o",
      "jsonpath={.status.addresses[?(@.type=='InternalIP')].address}",
    );
    return {
      folder,
      shell,
      artifacts,
      network: networkName(String(stackId)),
      controlPlane,
      keyPath,
      kubeconfig: this.kubeconfig,
    };
  }

  /** Recreates all pods of the Deployment on this node, so that every drain moves the same pods. */
  private async gather(node: string): Promise<void> {
    const others = (await this.kubectl("get", "nodes", "-o", "jsonpath={.items[*].metadata.name}"))
      .split(" ")
      .filter((name) => name !== node);
    await this.kubectl("cordon", ...others);
    await this.kubectl("rollout", "restart", "deploy/web");
    await this.rolledOut();
    await this.kubectl(
      "wait",
      "pod",
      "-l",
      "app=web",
      "--for=delete",
      "--field-selector",
      `spec.nodeName!=${node}`,
      "--timeout=60s",
    );
    await this.kubectl("uncordon", ...others);
  }

  private async rolledOut(): Promise<void> {
    await this.kubectl("rollout", "status", "deploy/web", "--timeout=300s");
  }

  private async kubectlWith(input: string, ...args: string[]): Promise<void> {
    const { kubectlPath } = await this.stack.outputs();
    await run(String(kubectlPath), ["--kubeconfig", this.kubeconfig, ...args], { input });
  }

  private async command(name: string, ...args: string[]): Promise<void> {
    this.signal.throwIfAborted();
    const { code, text } = await this.stack.npmRunQuietly(name, ...args);
    if (code !== 0) throw new Error(`npm run ${name} ${args.join(" ")} failed:\n${text}`);
  }
}

async function timed(times: number[], work: () => Promise<void>): Promise<void> {
  const start = Date.now();
  await work();
  times.push((Date.now() - start) / 1000);
}
