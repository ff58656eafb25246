import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../../common/wait";
import { stackIdOf } from "../../components/machines/docker";
import { ETCD_PKI } from "../../render/component-paths";
import { containerName } from "../../provider/docker/arguments";
import { LABELS } from "../../provider/docker/labels";
import { output } from "../../common/process";
import { LoadClient, waitForAnswers } from "../support/load-client";
import { manifest } from "../support/manifests";
import { TestStack, type Show } from "../support/test-stack";
import { isSameSize, type Operation, type Size } from "./cell";

/** Requests of the load client. */
export const PER_SECOND = 20;
const LONGEST_LOAD_SECONDS = 1_800;
const WAIT_SECONDS = 60;
const KUBECTL = ["kubectl", "--kubeconfig", "/etc/kubernetes/admin.conf"];
const ROLLOUT_STATUS = `${KUBECTL.join(" ")} rollout status deploy/web --timeout=180s`;
/** The kubelet writes it when it has used its bootstrap token. */
const KUBELET_CERTIFICATE = "/var/lib/kubelet/pki/kubelet-client-current.pem";
const TOKEN_TYPE = "bootstrap.kubernetes.io/token";
const CANARY = { name: "canary", value: "written before the fault" };

/** A cluster on local machines. Cells run on it one after the other, as long as each leaves it healthy. */
export class TestCluster {
  readonly controlPlane = "control-plane-1";
  readonly stack: TestStack;
  /** Undefined: there is no cluster, or it may be damaged. */
  private size: Size | undefined;
  private needsRemoval = true;
  private canaryExists = false;
  private savedState = "";
  /** Remembered, because the key that it is derived from is deleted with the stack. */
  private id = "";

  constructor(name: string, show?: Show) {
    this.stack = new TestStack(name, {}, show);
  }

  /** Creates or scales the cluster for the operation. */
  async prepareFor({ before, carriesPods, target }: Operation): Promise<void> {
    await this.scaleTo(before);
    if (carriesPods) await this.movePodsTo(target);
  }

  /** Changes the number of machines; undefined removes the cluster. */
  private async scaleTo(size: Size | undefined): Promise<void> {
    if (isSameSize(this.size, size) && !this.needsRemoval) return;
    if (this.size === undefined || size === undefined) await this.remove();
    if (size === undefined) return;
    const config = ["extras=true", `controlPlane.count=${size.controlPlanes}`, `workers.count=${size.workers}`];
    await succeed(this.stack.up(...config.flatMap((setting) => ["--config", setting])));
    if (!this.canaryExists) await this.createCanary();
    if (size.workers > 0) await this.deployWeb();
    this.size = size;
  }

  /** Records the machines after a successful operation. */
  setSize(size: Size | undefined): void {
    this.size = size;
  }

  /** Lets the next cell begin with a new cluster. */
  discard(): void {
    this.size = undefined;
    this.needsRemoval = true;
  }

  async remove(): Promise<void> {
    await succeed(this.stack.down("--force"));
    this.size = undefined;
    this.needsRemoval = false;
    this.canaryExists = false;
  }

  /** Removes the files of the stack. */
  removeFiles(): void {
    this.stack.removeFiles();
  }

  /** Returns the name of a machine's container, whether it exists or not. */
  containerName(machine: string): string {
    return containerName({ stack: this.stackId, hostname: machine });
  }

  /** Runs a shell script on a machine with `docker exec`. */
  async on(machine: string, script: string): Promise<string> {
    return await output("docker", ["exec", this.containerName(machine), "sh", "-c", script]);
  }

  /** Lists the containers of the stack, running or not. */
  async listContainers(): Promise<string[]> {
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

  /** Runs kubectl as administrator on the control plane, independent of what a fault has changed on the controller. */
  async kubectl(args: string): Promise<string> {
    return await this.on(this.controlPlane, `${KUBECTL.join(" ")} --request-timeout=10s ${args}`);
  }

  /** Starts a client that sends requests to the test Deployment through its Service. Undefined without workers. */
  async startLoad(): Promise<LoadClient | undefined> {
    if (!this.size?.workers) return undefined;
    const address = await this.kubectl(
      `get node ${this.controlPlane} -o 'jsonpath={.status.addresses[?(@.type=="InternalIP")].address}'`,
    );
    const url = `http://${address}:30080/hostname`;
    await this.on(this.controlPlane, ROLLOUT_STATUS);
    const spec = { container: this.containerName(this.controlPlane), url, perSecond: PER_SECOND };
    // After the removal of a node, 20 answers in a row show that no rule leads to its pods any more.
    await waitForAnswers({ ...spec, most: 20, seconds: WAIT_SECONDS });
    return new LoadClient({ ...spec, most: PER_SECOND * LONGEST_LOAD_SECONDS, seconds: LONGEST_LOAD_SECONDS });
  }

  /** Returns the names of etcd's members, sorted; those that were added and have not started are "not started". */
  async etcdMembers(): Promise<string[]> {
    const tls = `--cacert=${ETCD_PKI}/ca.crt --cert=${ETCD_PKI}/server.crt --key=${ETCD_PKI}/server.key`;
    const list = `etcdctl --endpoints=https://127.0.0.1:2379 ${tls} member list -w json`;
    const { members } = JSON.parse(await this.kubectl(`-n kube-system exec etcd-${this.controlPlane} -- ${list}`)) as {
      members: { name?: string; isLearner?: boolean }[];
    };
    return members.map(({ name, isLearner }) => `${name || "not started"}${isLearner ? " (learner)" : ""}`).sort();
  }

  /** Tells whether the ConfigMap from before the first fault still exists. */
  async hasCanary(): Promise<boolean> {
    if (!this.canaryExists) return true;
    const get = `get configmap ${CANARY.name} --ignore-not-found -o 'jsonpath={.data.value}'`;
    let value: string | undefined;
    // An API server that has just restarted refuses even its administrator until it has read the roles.
    await waitUntil("the API server returns the canary", async () => {
      value = await this.kubectl(get).catch(() => undefined);
      return value !== undefined;
    });
    return value === CANARY.value;
  }

  async saveState(): Promise<void> {
    const { code, text } = await this.stack.pulumiQuietly("stack", "export");
    if (code !== 0) throw new Error(`pulumi stack export failed: ${text}`);
    this.savedState = text.slice(text.indexOf("{"));
  }

  async restoreState(): Promise<void> {
    const file = join(this.stack.stateFolder, "saved.json");
    writeFileSync(file, this.savedState, { mode: 0o600 });
    await succeed(this.stack.pulumiQuietly("stack", "import", "--file", file));
  }

  /**
   * Expires the bootstrap tokens as soon as one exists. One command does both: kubeadm uses the token within two
   * seconds.
   */
  async expireTokens(machine: string): Promise<void> {
    const kubectl = `${KUBECTL.join(" ")} -n kube-system`;
    const past = Buffer.from("2020-01-01T00:00:00Z").toString("base64");
    const list = `${kubectl} get secrets --field-selector type=${TOKEN_TYPE} -o name`;
    const expire = `until [ -n "$tokens" ]; do tokens=$(${list}); done
${kubectl} patch $tokens -p '{"data":{"expiration":"${past}"}}'`;
    await output("docker", [
      "exec",
      this.containerName(this.controlPlane),
      "timeout",
      String(WAIT_SECONDS),
      "sh",
      "-c",
      expire,
    ]);
    const used = await this.on(machine, `[ ! -e ${KUBELET_CERTIFICATE} ] || echo used`);
    if (used) throw new Error("kubeadm used the token before it expired");
  }

  /** Deletes half of the pods when a new worker has none, so that it gets its share of the new ones. */
  private async movePodsTo(worker: string): Promise<void> {
    const listPlacement =
      "get pods -l app=web -o 'jsonpath={range .items[*]}{.metadata.name} {.spec.nodeName}{\"\\n\"}{end}'";
    const pods = (await this.kubectl(listPlacement)).split("\n").map((line) => line.split(" "));
    if (pods.some(([, node]) => node === worker)) return;
    await this.kubectl(
      `delete pod ${pods
        .slice(0, pods.length / 2)
        .map(([name]) => name)
        .join(" ")}`.trim(),
    );
    await this.on(this.controlPlane, ROLLOUT_STATUS);
  }

  private get stackId(): string {
    const key = join(this.stack.stackFolder, "id_ed25519.pub");
    if (existsSync(key)) this.id = stackIdOf(this.stack.name, readFileSync(key, "utf8"));
    return this.id;
  }

  private async createCanary(): Promise<void> {
    await this.kubectl(`create configmap ${CANARY.name} '--from-literal=value=${CANARY.value}'`);
    this.canaryExists = true;
  }

  private async deployWeb(): Promise<void> {
    await output("docker", ["exec", "-i", this.containerName(this.controlPlane), ...KUBECTL, "apply", "-f", "-"], {
      input: manifest("web.yaml"),
    });
    await this.on(this.controlPlane, ROLLOUT_STATUS);
  }
}

/** Polls in short intervals, so that the fault still meets its phase. */
async function waitUntil(condition: string, check: () => Promise<boolean>): Promise<void> {
  await until(async () => (await check()) || undefined, {
    signal: AbortSignal.timeout(2 * WAIT_SECONDS * 1000),
    timeout: WAIT_SECONDS,
    every: 50,
    onTimeout: () => new Error(`after ${WAIT_SECONDS} s it is still not true that ${condition}`),
  });
}

/** @throws Error with the end of the output when the command failed */
async function succeed(run: Promise<{ code: number | undefined; text: string }>): Promise<void> {
  const { code, text } = await run;
  if (code !== 0)
    throw new Error(`preparing the test cluster failed: ${text.trim().split("\n").slice(-15).join("\n")}`);
}
