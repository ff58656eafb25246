import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StepError } from "../../common/errors";
import type { Remote, RunOptions } from "../../provider/ssh/remote";

const COMPONENTS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];
const ETCD = "/var/lib/etcd";
const MANIFESTS = "/etc/kubernetes/manifests";
const HELD = "/var/lib/kubewright/backup/held-manifests";
/** Folders of a machine that scripts use; every machine has its own ones below a temporary folder. */
const FOLDERS = [ETCD, MANIFESTS, "/var/lib/kubewright", "/proc"];

/** A cluster of etcd whose members exchange their data. A member is healthy with others that have the same data. */
export class EtcdCluster {
  readonly machines: EtcdMachine[];
  /** Whether etcd answers only with a majority of its members. */
  needsMajority = false;

  constructor(...names: readonly string[]) {
    this.machines = names.map((name, index) => new EtcdMachine(name, `10.0.0.${index + 1}`, this));
  }

  get remotes(): Remote[] {
    return this.machines.map((machine) => machine as unknown as Remote);
  }

  /** What etcd has on each machine. */
  get data(): string[] {
    return this.machines.map(({ data }) => data);
  }

  remove(): void {
    for (const machine of this.machines) machine.remove();
  }
}

/**
 * A control plane on which scripts that move etcd's data and manifests really run, with /bin/sh, in a folder. Its
 * kubelet runs the components whose manifests it sees. Its etcdutl restores the text `restored`. Data with `broken` in
 * it does not start.
 */
export class EtcdMachine {
  readonly scripts: string[] = [];
  readonly label: string;
  readonly connection: { name: string; host: string };
  readonly patience = 1;
  /** Whether containers end when their manifest is gone. */
  stops = true;
  /** Whether its etcd was started with --force-new-cluster. */
  isAlone = false;
  /** Called before every script; a returned error is the script's result. */
  inject: (script: string) => Error | undefined = () => undefined;
  private readonly root = mkdtempSync(join(tmpdir(), "kubewright-etcd-"));

  constructor(
    readonly name: string,
    readonly host: string,
    private readonly cluster: EtcdCluster,
  ) {
    this.label = `${name} (${host})`;
    this.connection = { name, host };
    for (const folder of [`${ETCD}/member`, MANIFESTS, "/var/lib/kubewright/backup", "/proc/1", "/bin"])
      mkdirSync(this.path(folder), { recursive: true });
    for (const component of COMPONENTS) this.write(`${MANIFESTS}/${component}.yaml`, `${component}\n`);
    const flags = [`name=${name}`, `initial-advertise-peer-urls=https://${host}:2380`];
    this.write(`${MANIFESTS}/etcd.yaml`, `spec:\n    - etcd\n${flags.map((flag) => `    - --${flag}\n`).join("")}`);
    this.data = "previous";
    this.program("/bin/systemctl", "exit 0");
    this.program(
      "/var/lib/kubewright/backup/etcdutl",
      `while [ "$1" != --data-dir ]; do shift; done; mkdir -p "$2/member"; printf restored >"$2/member/data"`,
    );
  }

  path(path: string): string {
    return join(this.root, path);
  }

  write(path: string, text: string): void {
    writeFileSync(this.path(path), text);
  }

  /** Installs a shell script as a program. */
  program(path: string, script: string): void {
    writeFileSync(this.path(path), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }

  get data(): string {
    const file = this.path(`${ETCD}/member/data`);
    return existsSync(file) ? readFileSync(file, "utf8") : "";
  }

  set data(text: string) {
    this.write(`${ETCD}/member/data`, text);
  }

  /** Names in a folder, sorted. */
  list(folder: string): string[] {
    return existsSync(this.path(folder)) ? readdirSync(this.path(folder)).sort() : [];
  }

  /** Names in etcd's folder besides the data that it uses. */
  get leftovers(): string[] {
    return this.list(ETCD).filter((name) => name !== "member");
  }

  get manifests(): string[] {
    return this.list(MANIFESTS).map((name) => name.replace(".yaml", ""));
  }

  get heldManifests(): string[] {
    return this.list(HELD);
  }

  async run(script: string, { signal, step, action, accept = [0] }: RunOptions) {
    signal.throwIfAborted();
    this.scripts.push(script);
    await Promise.resolve();
    const error = this.inject(script);
    if (error) throw error;
    await new Promise(setImmediate); // Other machines fail sooner.
    const stdout = this.answer(script);
    const result = stdout === undefined ? this.execute(script) : { code: 0, stdout, stderr: "" };
    if (accept.includes(result.code)) return result;
    throw new StepError({ step, machine: this.label, cause: result.stderr.trim() || `exit ${result.code}`, action });
  }

  read(script: string, options: RunOptions) {
    return this.run(script, options);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  private answer(script: string): string | undefined {
    if (script.includes("label=io.kubernetes.pod.name=")) return this.readPod(script);
    if (script.includes("etcdctl member list")) return this.readMembers();
    if (/snapshot save|stat -c %a|tar -C/.test(script)) return "";
    return undefined;
  }

  private execute(script: string): { code: number; stdout: string; stderr: string } {
    const own = FOLDERS.reduce((text, folder) => text.replaceAll(folder, this.path(folder)), script);
    // The pattern of the command line must remain that of a machine.
    const restored = own.replace(/(-e '--data-dir=)\S*(\/var\/lib\/etc)/, "$1$2");
    const env = { ...process.env, PATH: `${this.path("/bin")}:${process.env.PATH}` };
    const { status, stdout, stderr } = spawnSync("/bin/sh", ["-c", restored], { env, encoding: "utf8" });
    return { code: status ?? 1, stdout, stderr };
  }

  private readPod(script: string): string {
    const component = COMPONENTS.find((name) => script.includes(`pod.name=${name}-${this.name}`)) ?? "";
    const runs = this.manifests.includes(component) || !this.stops;
    return runs ? `running uid ${component} id-of-${component}\n` : "";
  }

  private readMembers(): string {
    if (!this.runsEtcd) return "";
    this.isAlone ||= readFileSync(this.path(`${MANIFESTS}/etcd.yaml`), "utf8").includes("- --force-new-cluster\n");
    const all = this.isAlone ? [this] : this.cluster.machines;
    const list = all.map(({ name, host }, index) => `${index}, started, ${name}, p, https://${host}:2379, false\n`);
    const healthy = all.filter((one) => one.runsEtcd && one.data === this.data);
    if (this.cluster.needsMajority && healthy.length <= all.length / 2) return "";
    const states = healthy.map(({ host }) => `https://${host}:2379 is healthy: took = 1ms\n`);
    return `${list.join("")}--- health ---\n${states.join("")}`;
  }

  get runsEtcd(): boolean {
    return this.manifests.includes("etcd") && !this.data.includes("broken");
  }
}
