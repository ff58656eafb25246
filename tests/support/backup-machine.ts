import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { accessFiles, accessOptions, RESTIC } from "../../render/backup/access";
import { AUTHORITY_FILES } from "../../render/backup/content";
import { BACKUP_FOLDER } from "../../render/backup/etcd-programs";
import { SNAPSHOTS } from "../../render/backup/save-snapshot";
import { SEPARATOR } from "../../render/backup/scratch-etcd";
import {
  BACKUP_RESULT,
  BACKUP_SCRIPT,
  BACKUP_TIMER_FOLDER,
  DRILL_RESULT,
  DRILL_SCRIPT,
  backupTimerFiles,
  drillTimerFiles,
} from "../../render/backup/timer";

export const NODE = "cp-1";
export const PASSWORD = "correct horse $battery 'staple'";
const HASH = { revision: 585, hash: 3144205426, compacted: 400 };

/** A file that the API server reads, and the manifest that mounts it. */
export const POLICY = "/etc/kubernetes/audit/policy.yaml";
const MANIFEST = `apiVersion: v1
kind: Pod
metadata:
  name: kube-apiserver
spec:
  containers:
  - name: kube-apiserver
    image: kube-apiserver
    volumeMounts:
    - {name: certs, mountPath: /etc/ssl/certs, readOnly: true}
    - {name: policy, mountPath: ${POLICY}, readOnly: true}
    - {name: log, mountPath: /var/log/kubernetes}
  volumes:
  - {name: certs, hostPath: {path: /etc/ssl/certs}}
  - {name: policy, hostPath: {path: ${POLICY}}}
  - {name: log, hostPath: {path: /var/log/kubernetes}}
`;

const hashOf = (hash: number) =>
  JSON.stringify([
    {
      Endpoint: "unix:///client",
      HashKV: {
        header: { cluster_id: 1, member_id: 2, revision: HASH.revision + 3, raft_term: 2 },
        ...{ hash, compact_revision: HASH.compacted, hash_revision: HASH.revision },
      },
    },
  ]);

/** Scripts of etcd, which answer from files of the test. A file `fails-NAME` lets one fail. */
const ETCD = (root: string): Record<string, string> => ({
  "etcd-health.sh": "echo healthy",
  "save-snapshot.sh": `mkdir -p ${root}${SNAPSHOTS} && echo "the snapshot" > "$1"`,
  "read-snapshot.sh": `grep -q "the snapshot" "$1" || { echo damaged >&2; exit 1; }
printf '%s\\n' '${hashOf(HASH.hash)}' '${SEPARATOR}'
printf '2 secrets\\n14 apps.example.com/widgets\\n'`,
  "live-hash.sh": `[ "$1" = ${HASH.revision} ] && cat ${root}/live`,
});

/** Programs of the machine. Its clock advances by sleeping. */
const PROGRAMS = (root: string): Record<string, string> => ({
  date: `case "$*" in *-d*) exec /bin/date "$@" ;; esac
exec /bin/date -d "@$(($(cat ${root}/now) + $(cat ${root}/slept)))" "$@"`,
  // 60 seconds: between two renewals of the Lease.
  sleep: `[ "$1" != 60 ] || exit 1
echo $(($(cat ${root}/slept) + $1)) > ${root}/slept.new && mv ${root}/slept.new ${root}/slept`,
  // A calendar of every midnight.
  "systemd-analyze": `[ "$1 $3" = "calendar daily" ] || { echo "Failed to parse calendar specification" >&2; exit 1; }
next=$((($(/bin/date -d "\${2#--base-time=}" +%s) / 86400 + 1) * 86400))
echo "Normalized form: *-*-* 00:00:00"
echo "    Next elapse: $(/bin/date -d "@$next" '+%a %Y-%m-%d %H:%M:%S CET')"
echo "       (in UTC): $(/bin/date -u -d "@$next" '+%a %Y-%m-%d %H:%M:%S UTC')"`,
  kubectl: `case "$*" in
  *"get leases"*) [ ! -e ${root}/api-down ] || { echo "connection refused" >&2; exit 1; }
    [ ! -e ${root}/lease ] || cat ${root}/lease ;;
  create* | replace*) text=$(cat)
    holder=$(echo "$text" | sed -n 's/.*"holderIdentity":"\\([^"]*\\)".*/\\1/p')
    time=$(echo "$text" | sed -n 's/.*"renewTime":"\\([^"]*\\)".*/\\1/p')
    echo "1 \${time:--} $holder" > ${root}/lease
    echo "lease \${holder:-free}" >> ${root}/events ;;
  annotate*) [ ! -e ${root}/kubectl ] || exec $(cat ${root}/kubectl) "$@"
    [ ! -s "$4" ] || printf '%s\\n' 'read certs' 'read policy' 'path certs /etc/ssl/certs' \\
      'path policy ${POLICY}' 'path log /var/log' ;;
  *"get configmap "*range*) case $3 in kubeadm-config) echo ClusterConfiguration ;; *) echo kubelet ;; esac ;;
  *"get configmap "*) echo "kind: $3" ;;
  *"/version"*) printf '{\\n  "gitVersion": "v1.36.3",\\n  "major": "1"\\n}\\n' ;;
  *"get nodes"*) printf 'worker-1\\ncp-1\\n' ;;
  *) echo "unknown: $*" >&2; exit 1 ;;
esac`,
});

/** A restic that stores a copy of the folder, and answers with one earlier backup. */
const FAKE_RESTIC = (root: string) => `#!/bin/sh
read -r password
echo "restic $*" >> ${root}/calls
[ "$password" = "$(cat ${root}/password)" ] || { echo "Fatal: wrong password or no key found" >&2; exit 12; }
case "$*" in
  *"cat config"*) [ -e ${root}/repository ] || exit 10 ;;
  *init) mkdir ${root}/repository ;;
  *snapshots*) cat ${root}/snapshots ;;
  *"backup --json"*) cp -r . ${root}/stored && echo '{"message_type":"status"}'
    echo '{"message_type":"summary","snapshot_id":"7e0d2bf5aaaa"}' ;;
  *restore*) for target; do :; done
    mkdir -p "$target" && cp -r ${root}/stored/. "$target" ;;
  *forget*) [ ! -e ${root}/full ] || { echo "no space left on device" >&2; exit 1; } ;;
esac
`;

export interface Outcome {
  code: number | null;
  output: string;
  /** Changes of the Lease, in order. */
  events: string[];
  /** What the script has recorded for `status`. */
  result: string;
}

export interface BackupMachineOptions {
  /** Paths of real programs. */
  real?: { restic: string; kubectl: string };
  stack?: string;
}

/** A control plane on a day at noon. Runs the timer's real scripts, with the shell of this computer. */
export class BackupMachine {
  readonly root = mkdtempSync(join(tmpdir(), "scheduled-backup-"));
  readonly repository = `${this.root}/repository`;

  constructor({ real, stack = "dev" }: BackupMachineOptions = {}) {
    this.setTime("2026-11-27T12:00:00Z");
    for (const [path, text] of [
      ...[
        ["/slept", "0"],
        ["/live", hashOf(HASH.hash)],
        ["/snapshots", "[]"],
        ["/password", `${PASSWORD}\n`],
      ],
      ...[
        ["/etc/kubernetes/manifests/kube-apiserver.yaml", MANIFEST],
        [POLICY, "the policy"],
      ],
      ...AUTHORITY_FILES.map((file) => [file, `${file}\n`]),
    ] as [string, string][])
      this.write(path, text);
    const keep = { last: 3, hourly: 0, daily: 7, weekly: 4 };
    const settings = { node: NODE, stack, schedule: "daily", repository: this.repository, keep };
    const files = {
      ...backupTimerFiles({ ...settings, options: accessOptions({}) }),
      ...drillTimerFiles("weekly"),
      ...accessFiles({ password: PASSWORD }),
    };
    for (const [path, { content }] of Object.entries(files)) this.write(path, this.local(content));
    for (const [name, script] of Object.entries(ETCD(this.root)))
      this.write(
        `${BACKUP_TIMER_FOLDER}/${name}`,
        `[ ! -e ${this.root}/fails-${name} ] || { cat ${this.root}/fails-${name} >&2; exit 1; }\n${script}\n`,
      );
    for (const [name, script] of Object.entries(PROGRAMS(this.root)))
      this.program(`/bin/${name}`, `#!/bin/sh\n${script}\n`);
    if (real) {
      this.write("/kubectl", real.kubectl);
      rmSync(`${this.root}/bin/systemd-analyze`);
    }
    if (!real) mkdirSync(this.repository);
    this.program(RESTIC, real ? `#!/bin/sh\nexec ${real.restic} "$@"\n` : FAKE_RESTIC(this.root));
  }

  /** Runs the timer's script. */
  run(...args: string[]): Outcome {
    return this.runTimer(BACKUP_SCRIPT, BACKUP_RESULT, args);
  }

  /** Runs the script of the timer that tries backups. */
  drill(...args: string[]): Outcome {
    return this.runTimer(DRILL_SCRIPT, DRILL_RESULT, args);
  }

  private runTimer(script: string, result: string, args: readonly string[]): Outcome {
    rmSync(`${this.root}/events`, { force: true });
    const { status, stdout, stderr } = spawnSync("sh", [this.root + script, ...args], {
      env: { ...process.env, PATH: `${this.root}/bin:${process.env.PATH}` },
      ...{ encoding: "utf8", timeout: 60_000 },
    });
    const events = this.read("/events").split("\n").filter(Boolean);
    return { code: status, output: stdout + stderr, events, result: this.read(result) };
  }

  /** Runs another script on the machine. */
  runScript(script: string): { code: number | null; output: string } {
    const { status, stdout, stderr } = spawnSync("sh", ["-c", this.local(script)], { encoding: "utf8" });
    return { code: status, output: stdout + stderr };
  }

  /** Runs functions of the Lease as the timer's script does. */
  evaluate(script: string): string {
    const all = `node=${NODE} problem=; . ${this.root}${BACKUP_TIMER_FOLDER}/lease.sh\n${script}`;
    const env = { ...process.env, PATH: `${this.root}/bin:${process.env.PATH}` };
    return spawnSync("sh", ["-uc", all], { env, encoding: "utf8" }).stdout;
  }

  /** Sets the machine's clock. */
  setTime(time: string): void {
    this.write("/now", String(Date.parse(time) / 1000));
  }

  /** Seconds that the machine's scripts have slept. */
  get slept(): number {
    return Number(this.read("/slept"));
  }

  /** Limits the seconds for which the machine waits for the Lease. */
  limitWait(seconds: number): void {
    const path = `${BACKUP_TIMER_FOLDER}/lease.sh`;
    this.write(path, `${this.read(path)}\nlease_wait=${seconds}\n`);
  }

  /** Lets etcd's script fail with a message. */
  break(script: string, message: string): void {
    this.write(`/fails-${script}`, `${message}\n`);
  }

  /** The files that a run must not leave. */
  leftovers(): string[] {
    const own = existsSync(this.root + BACKUP_FOLDER) ? readdirSync(this.root + BACKUP_FOLDER) : [];
    const snapshots = existsSync(this.root + SNAPSHOTS) ? readdirSync(this.root + SNAPSHOTS) : [];
    return [...own.filter((name) => /^scheduled(-drill)?\./.test(name)), ...snapshots];
  }

  write(path: string, content: string): void {
    mkdirSync(dirname(this.root + path), { recursive: true });
    writeFileSync(this.root + path, content);
  }

  read(path: string): string {
    return existsSync(this.root + path) ? readFileSync(this.root + path, "utf8") : "";
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }

  private program(path: string, script: string): void {
    this.write(path, script);
    chmodSync(this.root + path, 0o755);
  }

  /** Returns a script with the machine's paths in the test's folder. */
  private local(script: string): string {
    return script
      .replaceAll(/\/(etc\/kube|var\/lib)/g, (path) => this.root + path)
      .replaceAll("tar -C / ", `tar -C ${this.root}/ `);
  }
}
