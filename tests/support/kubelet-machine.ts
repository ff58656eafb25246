import { MemoryMachine } from "./memory-machine";

export const MANIFEST = "/etc/kubernetes/manifests/etcd.yaml";
export const ARRIVED = "/var/lib/kubewright/manifests/etcd.yaml";
export const CONFIG = "/etc/kubernetes/etcd.conf";
export const KEY = "/etc/kubernetes/etcd.key";
export const STATE = "/var/lib/etcd";
export const KEPT = "/var/lib/kubewright/previous-etcd";

/** A machine whose kubelet runs the manifest of etcd. Changes take effect after `lag` listings of the containers. */
export class KubeletMachine extends MemoryMachine {
  lag = 0;
  running: string | undefined;
  emptied: string[] = [];
  private starts = 0;

  constructor() {
    super();
    this.on(/^set -e\nif cmp -s/, () => {
      const arrived = this.files.get(ARRIVED)!;
      this.files.delete(ARRIVED);
      if (this.files.get(MANIFEST)?.content === arrived.content) return "";
      this.files.set(MANIFEST, arrived);
      return "written\n";
    });
    this.on(/>> \S+\/previous-etcd\/complete/, (script) => this.keep(script));
    this.on(/\.kept"/, () => this.restoreKept());
    this.on(/^rm -rf \S+\/previous-etcd$/, () => {
      for (const path of this.kept) this.files.delete(path);
      return "";
    });
    this.on(/docker ps -q/, () => {
      const manifest = this.files.get(MANIFEST)?.content;
      if (manifest !== this.running && this.lag-- <= 0) {
        this.running = manifest;
        this.starts++;
      }
      return this.running === undefined ? "" : `c${this.starts}\n`;
    });
    this.on(/-mindepth 1 -delete/, (script) => {
      this.emptied.push(...[STATE].filter((folder) => script.includes(folder)));
      return "";
    });
  }

  get kept(): string[] {
    return [...this.files.keys()].filter((path) => path.startsWith(KEPT));
  }

  private keep(script: string): string {
    for (const [path, file] of [...this.files])
      if (script.includes(path) && !this.files.has(`${KEPT}${path}`)) this.files.set(`${KEPT}${path}`, file);
    return "";
  }

  private restoreKept(): string {
    for (const path of [MANIFEST, CONFIG, KEY]) {
      const file = this.files.get(`${KEPT}${path}`);
      if (file) this.files.set(path, file);
      else this.files.delete(path);
    }
    return "";
  }
}
