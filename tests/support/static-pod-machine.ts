import { createHash } from "node:crypto";
import type { Endpoint } from "../../provider/host/health";
import { MemoryMachine } from "./memory-machine";
import { placeManifest } from "./place-manifest";

const MANIFESTS = "/etc/kubernetes/manifests";
const KEPT = "/var/lib/kubewright/kubeadm/previous";

interface RunningPod {
  uid: string;
  manifest: string;
  starts: number;
  isStopped?: boolean;
}

/**
 * A machine whose kubelet runs the manifests of its folder. A pod whose manifest matches `broken` exits at each start.
 * Each reading of a pod's containers is a step of its kubelet.
 */
export class StaticPodMachine extends MemoryMachine {
  patience = 1;
  broken = /no-such-flag/;
  /** Readings after which the kubelet notices a changed manifest. */
  lag = 0;
  /** Readings between the end of a pod and the start of the next one. */
  gap = 0;
  /** Uids of the pods whose containers were killed. */
  readonly killed: string[] = [];
  /** Manifests that a pod's endpoint does not answer 200 for. */
  unhealthy = /unhealthy/;
  /** The manifests that pods were started with, in order: `etcd: first`. */
  readonly history: string[] = [];
  /** Whether the kubelet starts a broken pod again. */
  restarts = true;
  private readonly pods = new Map<string, RunningPod>();
  private readonly waits = new Map<string, number>();

  constructor(private readonly node = "cp-1") {
    super();
    this.on(/label=io.kubernetes.pod.name=/, (script) => this.readPod(script));
    this.on(/docker ps -q/, (script) => this.listContainers(script));
    this.on(/^set -e\nif cmp -s/, (script) => placeManifest(this.files, script));
    this.on(/-exec ls -t/, () => "2026-11-26T06:59:57Z stderr F Error: unknown flag: --no-such-flag\n");
    this.on(/>> .*previous\/complete/, () => this.keep());
    this.on(/\.kept"/, (script) => this.restoreKept(script));
    this.on(/^rm -rf .*previous$/, () => this.dropKept());
    this.on(/tasks kill -s SIGKILL/, (script) => this.kill(script));
  }

  write(component: string, content: string): void {
    this.files.set(`${MANIFESTS}/${component}.yaml`, { content, mode: "0600" });
  }

  manifest(component: string): string | undefined {
    return this.files.get(`${MANIFESTS}/${component}.yaml`)?.content;
  }

  get keptFiles(): string[] {
    return [...this.files.keys()].filter((path) => path.startsWith(KEPT));
  }

  /** Answers a health check by the pod that runs on the endpoint's port. */
  probe(_endpoint: Endpoint): string {
    const isUnhealthy = [...this.pods.values()].some(({ manifest }) => this.unhealthy.test(manifest));
    return isUnhealthy ? "HTTP 500: [-]etcd failed" : "healthy";
  }

  private componentIn(script: string): { name: string; component: string } {
    const [, name = ""] = /label=io\.kubernetes\.pod\.name=([\w-]+)/.exec(script) ?? [];
    return { name, component: name.slice(0, -this.node.length - 1) };
  }

  private listContainers(script: string): string {
    const { component } = this.componentIn(script);
    this.step(component);
    const pod = this.pods.get(component);
    return pod && !this.broken.test(pod.manifest) ? `${pod.uid}-${pod.starts}\n` : "";
  }

  private readPod(script: string): string {
    const { name, component } = this.componentIn(script);
    this.step(component);
    const pod = this.pods.get(component);
    if (!pod) return "";
    const isBroken = this.broken.test(pod.manifest);
    const started = `started /var/log/pods/kube-system_${name}_${pod.uid}/${component}/ ${pod.starts - 1}\n`;
    return isBroken || pod.isStopped ? started : `${started}running ${pod.uid} ${component} ${pod.uid}-${pod.starts}\n`;
  }

  private step(component: string): void {
    const manifest = this.manifest(component);
    const pod = this.pods.get(component);
    if (manifest === undefined) return void this.pods.delete(component);
    if (pod?.manifest === manifest) {
      if (this.restarts && this.broken.test(manifest)) pod.starts++;
      return;
    }
    const waited = this.waits.get(component) ?? 0;
    if (pod && waited < this.lag) return void this.waits.set(component, waited + 1);
    if (pod && waited < this.lag + this.gap) {
      this.waits.set(component, waited + 1);
      pod.isStopped = true;
      return;
    }
    this.waits.delete(component);
    this.history.push(`${component}: ${manifest}`);
    const uid = createHash("md5").update(manifest).digest("hex");
    this.pods.set(component, { uid, manifest, starts: 1 });
  }

  private kill(script: string): string {
    for (const pod of this.pods.values()) if (script.includes(`${pod.uid}-${pod.starts}`)) this.killed.push(pod.uid);
    return "";
  }

  private keep(): string {
    if (this.files.has(`${KEPT}/complete`)) return "";
    for (const [path, file] of [...this.files])
      if (path.startsWith("/etc/kubernetes/")) this.files.set(`${KEPT}${path}`, file);
    this.files.set(`${KEPT}/complete`, { content: "", mode: "0600" });
    return "";
  }

  private restoreKept(script: string): string {
    const paths = [...this.files.keys()].filter((path) => script.includes(path));
    for (const path of paths) if (path.startsWith("/etc/kubernetes/")) this.files.delete(path);
    for (const path of paths)
      if (path.startsWith(`${KEPT}/etc/`)) this.files.set(path.slice(KEPT.length), this.files.get(path)!);
    return "";
  }

  private dropKept(): string {
    for (const path of this.keptFiles) this.files.delete(path);
    return "";
  }
}

/** A manifest with a health endpoint. */
export function manifestOf(component: string, ...flags: string[]): string {
  const command = [component, ...flags].map((flag) => `    - ${flag}\n`).join("");
  return `spec:
  containers:
  - command:
${command}    name: ${component}
    readinessProbe: {httpGet: {host: 10.0.0.1, path: /readyz, port: probe-port, scheme: HTTPS}}
    ports: [{containerPort: 6443, name: probe-port}]
`;
}
