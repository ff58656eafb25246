import { STATE_FOLDER } from "../../provider/kubeadm/run";
import type { RunOptions } from "../../provider/ssh/remote";
import { BOOTSTRAP_KUBECONFIG, KUBELET_CA, KUBELET_KUBECONFIG } from "../../render/standalone-kubelet";
import type { Faults } from "./faults";
import { NodeMachine } from "./node-machine";

const MANIFESTS = "/etc/kubernetes/manifests";
const STAGING = "/etc/kubernetes/tmp/kubewright-manifests";
const CLIENT_CERTIFICATE = "/var/lib/kubelet/pki/kubelet-client-current.pem";

/** A machine on which kubeadm works, and whose kubelet joins by TLS bootstrap. */
export class KubeadmMachine extends NodeMachine {
  constructor(
    faults: Faults,
    private readonly certificates: { ca: string; client: string },
  ) {
    super(faults);
    this.on(/echo started\n/, (script) => this.progress(script));
    this.on(/^set -e\nmv -fT/, (script) => this.placeManifests(script));
    this.on(/^rm -rf \/etc\/kubernetes\/tmp/, () => (this.deleteBelow(STAGING), ""));
    this.on(/kubeadm reset --force/, () => (this.reset(), ""));
    this.on(/kubelet-client-current\.pem/, () => this.membership());
    this.on(/^systemctl restart kubelet$/, () => (this.restartKubelet(), ""));
    this.on(/^\[ -e \S+ \] && \[ -e/, () => (this.files.has(CLIENT_CERTIFICATE) ? "" : { code: 1 }));
  }

  protected override async execute(script: string, options: RunOptions) {
    const [, verb] = /kubeadm (init|join) --config/.exec(script) ?? [];
    if (verb === "init" || verb === "join") return this.kubeadm(verb);
    if (script.includes("KUBEADM_INIT_DRYRUN_DIR")) this.renderManifest(STAGING, String(options.stdin));
    if (script.includes("kubelet-client-*")) return await this.detach(script, options);
    return await super.execute(script, options);
  }

  private async detach(script: string, options: RunOptions) {
    const result = await super.execute(script, options);
    this.deleteBelow("/var/lib/kubelet/pki");
    return result;
  }

  /** kubeadm's files. The first half of a run starts it only. */
  private kubeadm(verb: "init" | "join") {
    const write = (path: string, content: string) => this.files.set(path, { content, mode: "0600" });
    write(`${STATE_FOLDER}/${verb}.started`, "");
    write("/etc/kubernetes/pki/ca.crt", this.certificates.ca);
    if (verb === "init") this.renderManifest(MANIFESTS);
    if (verb === "init") write("/etc/kubernetes/admin.conf", "admin");
    write(KUBELET_KUBECONFIG, "kubelet");
    write(CLIENT_CERTIFICATE, this.certificates.client);
    write(`${STATE_FOLDER}/${verb}.done`, "");
    return { code: 0, stdout: "", stderr: "" };
  }

  /** What an interrupted kubeadm leaves. */
  protected override startOnly(script: string): void {
    const [, verb] = /kubeadm (init|join) --config/.exec(script) ?? [];
    if (verb === undefined) return;
    this.files.set(`${STATE_FOLDER}/${verb}.started`, { content: "", mode: "0600" });
    this.files.set("/etc/kubernetes/pki/ca.crt", { content: this.certificates.ca, mode: "0600" });
  }

  /** Writes the API server's manifest, with the flags of a ClusterConfiguration and nothing of tokens. */
  renderManifest(folder: string, config = ""): void {
    const [name = "clusterName: demo"] = /clusterName: .*/.exec(config) ?? [];
    this.files.set(`${folder}/kube-apiserver.yaml`, { content: `${name}\n`, mode: "0600" });
  }

  private placeManifests(script: string): string {
    for (const [, from = "", to = ""] of script.matchAll(/^mv -fT (\S+) (\S+)$/gm)) {
      const file = this.files.get(from);
      if (file) this.files.set(to, file);
    }
    this.deleteBelow(STAGING);
    return "";
  }

  private progress(script: string): string {
    const [, done = "", kubeconfig = ""] = /\[ -e (\S+) \] && \[ -e (\S+) \]/.exec(script) ?? [];
    if (this.files.has(done) && this.files.has(kubeconfig)) return "done";
    return this.files.has(done.replace(".done", ".started")) ? "started" : "none";
  }

  private membership(): string {
    if (!this.files.has(KUBELET_KUBECONFIG)) return "";
    return `${this.certificates.client}--- CA ---\n${this.certificates.ca}`;
  }

  private reset(): void {
    for (const folder of ["/etc/kubernetes", "/var/lib/kubelet", STATE_FOLDER]) this.deleteBelow(folder);
  }

  private restartKubelet(): void {
    if (!this.files.has(BOOTSTRAP_KUBECONFIG) || !this.files.has(KUBELET_CA)) return;
    this.files.set(KUBELET_KUBECONFIG, { content: "kubelet", mode: "0600" });
    this.files.set(CLIENT_CERTIFICATE, { content: this.certificates.client, mode: "0600" });
  }
}
