import type { RunOptions } from "../../provider/ssh/remote";
import { MemoryMachine } from "./memory-machine";

export const COMPONENTS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];

/** A control plane whose kubeadm renders the flags of its configuration. */
export class ControlPlaneMachine extends MemoryMachine {
  patience = 1;
  members = "8e9e05c52164694d, started, cp-2, https://10.0.0.1:2380, https://10.0.0.1:2379, false\n";
  readonly placed: string[] = [];
  /** Lines with the images of components, which kubeadm renders. */
  readonly images = new Map<string, string>();

  constructor() {
    super();
    this.on(/etcdctl member list/, () => this.members);
    this.on(/^set -e\nmv -fT/, (script) => this.place(script));
  }

  override async run(script: string, options: RunOptions) {
    if (script.includes("KUBEADM_INIT_DRYRUN_DIR")) this.render(script, String(options.stdin));
    return await super.run(script, options);
  }

  private render(script: string, config: string): void {
    const [, folder = ""] = /KUBEADM_INIT_DRYRUN_DIR=(\S+)/.exec(script) ?? [];
    for (const name of COMPONENTS)
      this.files.set(`${folder}/${name}.yaml`, {
        content: manifest(name, config) + (this.images.get(name) ?? ""),
        mode: "0600",
      });
  }

  private place(script: string): string {
    for (const [, from = "", to = ""] of script.matchAll(/^mv -fT (\S+) (\S+)$/gm)) {
      const file = this.files.get(from);
      if (!file) throw new Error(`${from} does not exist`);
      this.files.delete(from);
      this.files.set(to, file);
      this.placed.push(to);
    }
    return "";
  }
}

/** A part of each manifest that has no flags. */
export const PROBE = "  startupProbe:\n    failureThreshold: 24\n";

/** The flags and the probe of a component as kubeadm would write them, with an own member list of etcd. */
export function manifest(name: string, config: string): string {
  const section = { "kube-apiserver": "apiServer", "kube-controller-manager": "controllerManager" }[name] ?? name;
  const [, own = ""] = new RegExp(`${section}:\\n((?:  .*\\n)*)`).exec(config) ?? [];
  const flags = [...own.matchAll(/name: (\S+)\n\s+value: "?([^"\n]+)/g)].map(
    ([, key, value]) => `- --${key}=${value}\n`,
  );
  const members = name === "etcd" ? "- --initial-cluster=cp-2=https://10.0.0.1:2380\n" : "";
  return `- ${name}\n${members}${flags.join("")}${PROBE}`;
}
