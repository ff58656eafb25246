import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../common/wait";
import { stackIdOf } from "../../components/machines/docker";
import { containerName } from "../../provider/docker/arguments";
import { LABELS } from "../../provider/docker/labels";
import { output } from "../../common/process";
import { LoadClient } from "../support/load-client";
import { manifest } from "../support/manifests";
import { TestStack, type Show } from "../support/test-stack";
import type { Operation } from "./cell";

const PER_SECOND = 20;
const MOST_SECONDS = 1_800;
const BECOMES_SECONDS = 60;
const KUBECTL = ["kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf"];
const ROLLED_OUT = `${KUBECTL.join(" ")} rollout status deploy/web --timeout=180s`;
/** The kubelet has it once its bootstrap token has served. */
const KUBELET_CERTIFICATE = "/var/lib/kubelet/pki/kubelet-client-current.pem";
const TOKEN_TYPE = "bootstrap.kubernetes.io/token";
const CANARY = { name: "canary", word: "was here before the fault" };

/** The cluster that cells are run on, one after the other for as long as each leaves it whole: one control plane, and some workers. */
export class Ground {
  readonly controlPlane = "control-plane-1";
  readonly stack: TestStack;
  /** Workers that are there; undefined: nothing, or nothing that is known to be whole. */
  private workers: number | undefined;
  private fresh = true;
  private planted = false;
  private keptState = "";
  /** Remembered, since the key that it follows from goes with the stack. */
  private id = "";

  constructor(name: string, show?: Show) {
    this.stack = new TestStack(name, {}, show);
  }

  /** Brings the cluster to what the operation begins with. */
  async readyFor({ before, carriesPods, target }: Operation): Promise<void> {
    await this.reach(before);
    if (carriesPods) await this.givePods(target);
  }

  /** This number of workers; undefined removes the cluster. */
  private async reach(workers: number | undefined): Promise<void> {
    if (this.workers === workers && !this.fresh) return;
    if (this.workers === undefined || workers === undefined) await this.remove();
    if (workers === undefined) return;
    await must(this.stack.up("--config", "extras=true", "--config", `workers.count=${workers}`));
    if (!this.planted) await this.plant();
    if (workers > 0) await this.serve();
    this.workers = workers;
  }

  /** After an operation that ended well. */
  is(workers: number | undefined): void {
    this.workers = workers;
  }

  /** The next cell begins on a new one. */
  giveUp(): void {
    this.workers = undefined;
    this.fresh = true;
  }

  async remove(): Promise<void> {
    await must(this.stack.down("--force"));
    this.workers = undefined;
    this.fresh = false;
    this.planted = false;
  }

  /** What only tests leave. */
  forget(): void {
    this.stack.forget();
  }

  /** Of a machine, by the name that it has whether or not it is there. */
  container(machine: string): string {
    return containerName({ stack: this.stackId, hostname: machine });
  }

  /** A shell command on a machine, past everything that is ours. */
  async on(machine: string, script: string): Promise<string> {
    return await output("docker", ["exec", this.container(machine), "sh", "-c", script]);
  }

  /** Names of all that Docker holds of the stack, running or not. */
  async containers(): Promise<string[]> {
    if (this.stackId === "") return [];
    const names = await output("docker", [
      "ps",
      "-a",
      "--filter",
      `label=${LABELS.stack}=${this.stackId}`,
      "--format",
      "{{.Names}}",
    ]);
    return names.split("\n").filter(Boolean).sort();
  }

  /** As the administrator, on the control plane: it needs nothing of ours that a fault may have touched. */
  async kubectl(words: string): Promise<string> {
    return await this.on(this.controlPlane, `${KUBECTL.join(" ")} --request-timeout=10s ${words}`);
  }

  /** Asks the running Deployment through a Service, each time on a connection of its own; undefined where there is none. */
  async ask(): Promise<LoadClient | undefined> {
    if (!this.workers) return undefined;
    const address = await this.kubectl(
      `get node ${this.controlPlane} -o 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}'`,
    );
    const url = `http://${address}:30080/hostname`;
    await this.on(this.controlPlane, ROLLED_OUT);
    // The cell before may have taken a node away: all answers together tell that its pods are in no node's rules any more.
    await becomes(
      "the Deployment answers",
      async () =>
        (await this.on(
          this.controlPlane,
          `curl -sf --fail-early --max-time 2 -o /dev/null '${url}?[1-20]' && echo all || true`,
        )) !== "",
    );
    return new LoadClient({
      container: this.container(this.controlPlane),
      url,
      perSecond: PER_SECOND,
      most: PER_SECOND * MOST_SECONDS,
      seconds: MOST_SECONDS,
    });
  }

  /** Is what was written before everything still there? */
  async keepsCanary(): Promise<boolean> {
    return (
      !this.planted ||
      (await this.kubectl(`get configmap ${CANARY.name} --ignore-not-found -o 'jsonpath={.data.word}'`)) === CANARY.word
    );
  }

  async keepState(): Promise<void> {
    const { code, text } = await this.stack.quietly("stack", "export");
    if (code !== 0) throw new Error(`no state to keep: ${text}`);
    this.keptState = text.slice(text.indexOf("{"));
  }

  async restoreState(): Promise<void> {
    const file = join(this.stack.stateFolder, "kept.json");
    writeFileSync(file, this.keptState, { mode: 0o600 });
    await must(this.stack.quietly("stack", "import", "--file", file));
  }

  /** As if its 15 minutes were over: as soon as one is made, in one command, since kubeadm uses it within a second or two. */
  async expireTokens(machine: string): Promise<void> {
    const kubectl = `${KUBECTL.join(" ")} -n kube-system`;
    const past = Buffer.from("2020-01-01T00:00:00Z").toString("base64");
    const expire = `until [ -n "$tokens" ]; do tokens=$(${kubectl} get secrets --field-selector type=${TOKEN_TYPE} -o name); done
${kubectl} patch $tokens -p '{"data":{"expiration":"${past}"}}'`;
    await output("docker", [
      "exec",
      this.container(this.controlPlane),
      "timeout",
      String(BECOMES_SECONDS),
      "sh",
      "-c",
      expire,
    ]);
    const used = await this.on(machine, `[ ! -e ${KUBELET_CERTIFICATE} ] || echo used`);
    if (used) throw new Error("kubeadm had used the token before it ended");
  }

  /** A worker that has just joined has none: pods do not move by themselves. Of those that are made anew it gets its share. */
  private async givePods(worker: string): Promise<void> {
    const places = "get pods -l app=web -o 'jsonpath={range .items[*]}{.metadata.name} {.spec.nodeName}{\"\\n\"}{end}'";
    const pods = (await this.kubectl(places)).split("\n").map((line) => line.split(" "));
    if (pods.some(([, node]) => node === worker)) return;
    await this.kubectl(
      `delete pod ${pods
        .slice(0, pods.length / 2)
        .map(([name]) => name)
        .join(" ")}`.trim(),
    );
    await this.on(this.controlPlane, ROLLED_OUT);
  }

  private get stackId(): string {
    const key = join(this.stack.stackFolder, "id_ed25519.pub");
    if (existsSync(key)) this.id = stackIdOf(this.stack.name, readFileSync(key, "utf8"));
    return this.id;
  }

  private async plant(): Promise<void> {
    await this.kubectl(`create configmap ${CANARY.name} '--from-literal=word=${CANARY.word}'`);
    this.planted = true;
  }

  private async serve(): Promise<void> {
    await output("docker", ["exec", "-i", this.container(this.controlPlane), ...KUBECTL, "apply", "-f", "-"], {
      input: manifest("web.yaml"),
    });
    await this.on(this.controlPlane, ROLLED_OUT);
  }
}

/** Looks again soon: a fault is to meet its phase. */
async function becomes(what: string, question: () => Promise<boolean>): Promise<void> {
  const options = {
    signal: AbortSignal.timeout(2 * BECOMES_SECONDS * 1000),
    timeout: BECOMES_SECONDS,
    every: 50,
    onTimeout: () => new Error(`it did not come about that ${what}`),
  };
  await until(async () => (await question()) || undefined, options);
}

async function must(run: Promise<{ code: number | undefined; text: string }>): Promise<void> {
  const { code, text } = await run;
  if (code !== 0) throw new Error(`the cluster for the cells: ${text.trim().split("\n").slice(-15).join("\n")}`);
}
