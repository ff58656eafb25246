import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createAuthority, createCertificate } from "../../provider/pki/x509";
import { RENEWAL_FOLDER, RENEWAL_SCRIPT, renewalFiles } from "../../render/renew-certificates";

export const NODE = "cp-1";
const COMPONENTS = ["kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"] as const;
const CERTIFICATES = [
  ...["apiserver", "apiserver-kubelet-client", "apiserver-etcd-client", "front-proxy-client"],
  ...["etcd/server", "etcd/peer", "etcd/healthcheck-client"],
];
const KUBECONFIGS = ["admin", "super-admin", "controller-manager", "scheduler"];

export const KUBERNETES = "/etc/kubernetes";
export const PREVIOUS = "/var/lib/kubewright/kubeadm/previous";

/** Programs of the machine. A file that contains BROKEN stands for one that its component cannot use. */
const PROGRAMS = (root: string): Record<string, string> => ({
  // The clock is a year later than the certificates begin, and advances by sleeping.
  date: `case "$*" in *-d*) exec /bin/date "$@" ;; esac
exec /bin/date -d "@$(($(/bin/date +%s) + $(cat ${root}/ahead)))" "$@"`,
  sleep: `echo $(($(cat ${root}/ahead) + 1)) > ${root}/ahead.new && mv ${root}/ahead.new ${root}/ahead
[ ! -e ${root}/on-sleep ] || sh ${root}/on-sleep`,
  kubeadm: `echo "renew $3" >> ${root}/events
[ ! -e ${root}/kubeadm-fails ] || { echo "the CA's key is missing"; exit 1; }
case $3 in
  *.conf) printf 'client-certificate-data: %s\\n' "$(base64 -w0 ${root}/new.crt)" > ${root}${KUBERNETES}/$3; exit ;;
  etcd-*) file=${root}${KUBERNETES}/pki/etcd/\${3#etcd-} ;;
  *) file=${root}${KUBERNETES}/pki/$3 ;;
esac
cp ${root}/new.crt $file.crt; echo new > $file.key
! grep -qsx "$3" ${root}/breaks || { echo BROKEN > $file.key; }`,
  // As the kubelet: a pod for each manifest, whose uid changes with the manifest.
  ctr: `list() { for name in ${COMPONENTS.join(" ")}; do
  file=${root}${KUBERNETES}/manifests/$name.yaml
  [ $name != kube-apiserver ] || ! grep -qs BROKEN ${root}${KUBERNETES}/pki/*.key || continue
  echo "$name $(md5sum < $file | cut -c1-32)"; done; }
case "$*" in
  *tasks*) list | awk '{print $2, 1, "RUNNING"}' ;;
  *ls*) list | awk -v pods="$*" 'index(pods, "==" $1 "-${NODE}") {print $2}' ;;
  *info*) for id; do :; done; printf '"io.kubernetes.pod.uid": "%s"\\n"io.kubernetes.container.name": "x"\\n' $id ;;
esac`,
  docker: "exit 1",
  socat: "cat > /dev/null; echo 'HTTP/1.0 200 OK'",
  kubectl: `case "$*" in
  *leases*) [ ! -e ${root}/api-down ] || { echo "connection refused" >&2; exit 1; }
    [ ! -e ${root}/lease ] || cat ${root}/lease ;;
  create* | replace*) text=$(cat)
    version=$(echo "$text" | sed -n 's/.*"resourceVersion":"\\([0-9]*\\)".*/\\1/p')
    [ "$version" = "$(cut -d ' ' -f 1 ${root}/lease 2>/dev/null)" ] ||
      { echo "Error from server (Conflict): the object has been modified"; exit 1; }
    holder=$(echo "$text" | sed -n 's/.*"holderIdentity":"\\([^"]*\\)".*/\\1/p')
    time=$(echo "$text" | sed -n 's/.*"renewTime":"\\([^"]*\\)".*/\\1/p')
    echo "$((version + 1)) \${time:--} $holder" > ${root}/lease
    echo "lease \${holder:-free}" >> ${root}/events ;;
  *) ! grep -qs BROKEN ${root}${KUBERNETES}/pki/*.key ;;
esac`,
});

const ETCDCTL = (root: string) => `etcdctl() { case "$*" in
  "member list") cat ${root}/members ;;
  *--cluster) cat ${root}/health ;;
  *) ! grep -qs BROKEN ${root}${KUBERNETES}/pki/etcd/*.key ;;
esac; }`;

export interface Outcome {
  code: number | null;
  output: string;
  /** Renewals and changes of the Lease, in order. */
  events: string[];
  /** What the script has recorded for `status`. */
  result: string;
}

/** A control plane whose leaves end in 25 days. Runs the timer's real scripts, with the shell of this computer. */
export class RenewalMachine {
  readonly root = mkdtempSync(join(tmpdir(), "renew-certificates-"));

  private constructor(
    private readonly old: string,
    private readonly renewed: string,
  ) {
    this.write("/ahead", String(340 * 86_400));
    this.write("/new.crt", renewed);
    this.write("/members", `1, started, ${NODE}, https://1:2380, https://1:2379, false\n`);
    this.write("/health", "https://1:2379 is healthy: took 1ms\n");
    for (const name of COMPONENTS) this.write(`${KUBERNETES}/manifests/${name}.yaml`, manifestOf(name));
    for (const name of CERTIFICATES) {
      this.write(`${KUBERNETES}/pki/${name}.crt`, old);
      this.write(`${KUBERNETES}/pki/${name}.key`, "old\n");
    }
    for (const name of KUBECONFIGS) this.write(`${KUBERNETES}/${name}.conf`, kubeconfigOf(old));
    for (const [path, { content }] of Object.entries(renewalFiles({ node: NODE, healthySeconds: 30 })))
      this.write(path, this.local(content));
    this.write(`${RENEWAL_FOLDER}/etcdctl.sh`, ETCDCTL(this.root));
    for (const [name, script] of Object.entries(PROGRAMS(this.root))) {
      this.write(`/bin/${name}`, `#!/bin/sh\n${script}\n`);
      chmodSync(join(this.root, "bin", name), 0o755);
    }
  }

  static async create(): Promise<RenewalMachine> {
    const authority = await createAuthority("kubernetes", 3650);
    const issue = async (days: number) =>
      (await createCertificate(authority, { commonName: "a", usages: ["client"], days })).certificate;
    return new RenewalMachine(await issue(365), await issue(1000));
  }

  /** Runs the timer's script. */
  run(...args: string[]): Outcome {
    const { status, stdout, stderr } = spawnSync("sh", [this.root + RENEWAL_SCRIPT, ...args], this.options());
    return { code: status, output: stdout + stderr, events: this.lines("/events"), result: this.read(RESULT) };
  }

  /** Runs a script with functions of the timer. */
  evaluate(part: string, script: string): string {
    const folder = this.root + RENEWAL_FOLDER;
    const all = `days=30 node=${NODE} seconds=30; . ${folder}/leaves.sh; . ${folder}/${part}\n${script}`;
    return execFileSync("sh", ["-uc", all], this.options()).toString();
  }

  /** Lets all leaves be new, except for some: `etcd/server`, `scheduler.conf`. */
  renewAll(...except: string[]): void {
    for (const name of CERTIFICATES.filter((one) => !except.includes(one)))
      this.write(`${KUBERNETES}/pki/${name}.crt`, this.renewed);
    for (const name of KUBECONFIGS.map((one) => `${one}.conf`).filter((one) => !except.includes(one)))
      this.write(`${KUBERNETES}/${name}`, kubeconfigOf(this.renewed));
  }

  isRenewed(path: string): boolean {
    return this.read(path) === (path.endsWith(".conf") ? kubeconfigOf(this.renewed) : this.renewed);
  }

  isOld(path: string): boolean {
    return this.read(path) === (path.endsWith(".conf") ? kubeconfigOf(this.old) : this.old);
  }

  write(path: string, content: string): void {
    mkdirSync(dirname(this.root + path), { recursive: true });
    writeFileSync(this.root + path, content);
  }

  read(path: string): string {
    return existsSync(this.root + path) ? readFileSync(this.root + path, "utf8") : "";
  }

  exists(path: string): boolean {
    return existsSync(this.root + path);
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  /** Returns a script with the machine's paths in the test's folder. */
  local(script: string): string {
    return script.replaceAll(/\/(etc\/kube|var\/lib|var\/log|run\/)/g, (path) => this.root + path);
  }

  private lines(path: string): string[] {
    return this.read(path).split("\n").filter(Boolean);
  }

  private options() {
    const env = { ...process.env, PATH: `${this.root}/bin:${process.env.PATH}` };
    return { env, encoding: "utf8" as const, timeout: 60_000 };
  }
}

const RESULT = "/var/lib/kubewright/kubeadm/renewal";
const kubeconfigOf = (pem: string) => `client-certificate-data: ${Buffer.from(pem).toString("base64")}\n`;

/** Returns a manifest as kubeadm writes it. */
export function manifestOf(component: string): string {
  const scheme = component === "etcd" ? "HTTP" : "HTTPS";
  return `apiVersion: v1
kind: Pod
metadata:
  labels:
    component: ${component}
  name: ${component}
spec:
  containers:
  - command:
    - ${component}
    livenessProbe:
      failureThreshold: 8
      httpGet:
        host: 127.0.0.1
        path: /livez
        port: probe-port
        scheme: ${scheme}
    name: ${component}
    ports:
    - containerPort: 6443
      name: probe-port
      protocol: TCP
    readinessProbe:
      httpGet:
        host: 10.0.0.1
        path: /readyz
        port: probe-port
        scheme: ${scheme}
`;
}
