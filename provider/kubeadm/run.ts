import { timeoutSignal } from "../../common/timer";
import { DeadlineError, StepError } from "../../common/errors";
import { commandLine, quote } from "../../common/quote";
import { MANIFESTS } from "../../render/component-paths";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

/** Folder on a machine that records which kubeadm commands have started and finished. */
export const STATE_FOLDER = "/var/lib/kubewright/kubeadm";
const CONFIG = "/etc/kubernetes/kubewright-kubeadm.yaml";
const LOCK = "/run/kubewright-kubeadm.lock";

/** 1 is a failure of kubeadm, or of `flock` while an earlier kubeadm still runs. */
const EXIT_CODES = [0, 1];

export type KubeadmProgress = "none" | "started" | "done";

/** Reads how far `kubeadm init` or `kubeadm join` came. It counts as done only while its kubeconfig exists. */
export async function readProgress(
  machine: Remote,
  verb: "init" | "join",
  kubeconfig: string,
  signal: AbortSignal,
): Promise<KubeadmProgress> {
  const script = `if [ -e ${STATE_FOLDER}/${verb}.done ] && [ -e ${kubeconfig} ]; then echo done
elif [ -e ${STATE_FOLDER}/${verb}.started ]; then echo started
else echo none
fi`;
  const { stdout } = await machine.read(script, { step: `reading the progress of kubeadm ${verb}`, signal });
  return stdout.trim() as KubeadmProgress;
}

export interface KubeadmRun {
  verb: "init" | "join";
  /** Further arguments of the command, without secrets. */
  flags: readonly string[];
  /** kubeadm's configuration, with secrets. Sent by stdin; a 0600 file on the machine while kubeadm runs. */
  config: string;
  /** Seconds. */
  timeout: number;
  /** What the user does when kubeadm fails. */
  action: string;
}

/**
 * Runs kubeadm and shows its phases in the status line. A run that lost its connection continues on the machine: the
 * next call waits for it, under a lock, and takes over its result.
 */
export async function runKubeadm(context: Context, machine: Remote, run: KubeadmRun): Promise<void> {
  const { verb, timeout, config: stdin, action } = run;
  const step = `kubeadm ${verb}`;
  const lines: string[] = [];
  const onLine = (line: string) => {
    lines.push(line);
    const phase = /^\[([\w-]+)\] /.exec(line)?.[1];
    if (phase) context.status(`kubeadm ${verb}: ${phase}`);
  };
  const options = { step, signal: context.signal, timeout, onLine, accept: EXIT_CODES, stdin };
  try {
    const { code } = await machine.run(kubeadmScript(run, machine.patience), options);
    if (code !== 0) throw new StepError({ step, machine: machine.label, cause: extractCause(lines), action });
  } catch (error) {
    if (!(error instanceof DeadlineError)) throw error;
    const cause = `${error.failure.cause}; its last output: ${extractCause(lines)}`;
    throw new StepError({ ...error.failure, cause, action });
  } finally {
    await removeConfig(machine);
  }
}

/**
 * The manifests' folder is created on workers too, because the kubelet logs each second that it is missing.
 *
 * The configuration is received before the lock is taken: a connection that stalls during the transfer would otherwise
 * hold the lock for hours, until the machine notices. `flock -o` keeps the kubelet that kubeadm starts from inheriting
 * the lock. `tee -p` keeps reading after the connection is lost: otherwise SIGPIPE would stop kubeadm.
 */
function kubeadmScript({ verb, flags, config, timeout }: KubeadmRun, patience: number): string {
  const command = commandLine(["kubeadm", verb, "--config", CONFIG, "-v=1", ...flags]);
  const done = `${STATE_FOLDER}/${verb}.done`;
  return `mkdir -p ${STATE_FOLDER} ${MANIFESTS}
received=$(mktemp ${CONFIG}.XXXXXX) || exit 1
trap 'rm -f "$received"' EXIT
cat > "$received"
[ "$(wc -c < "$received")" -eq ${Buffer.byteLength(config)} ] || exit 1 # the connection was lost during the transfer
flock -o -w ${Math.ceil(timeout * patience)} ${LOCK} sh -c ${quote(`
[ -e ${done} ] && exit 0
trap 'rm -f ${CONFIG}' EXIT
mv -fT "$1" ${CONFIG}
touch ${STATE_FOLDER}/${verb}.started
(${command} </dev/null && touch ${done}) 2>&1 | tee -p /dev/null
[ -e ${done} ]
`)} kubeadm "$received"`;
}

async function removeConfig(machine: Remote): Promise<void> {
  const options = { step: "removing kubeadm's configuration", signal: timeoutSignal(10_000 * machine.patience) };
  await machine.run(`rm -f ${CONFIG} ${CONFIG}.*`, options).catch(() => undefined);
}

const ERROR_LINE = /^\s*\[ERROR |^error|^\s*error:|error execution phase|couldn't|timed? ?out/i;
const KLOG_PREFIX = /^[IWE]\d{4} \S+ +\d+ \S+\] /;

/** Returns kubeadm's error messages, without klog prefixes and stack traces. */
export function extractCause(lines: readonly string[]): string {
  const errors = lines.filter((line) => ERROR_LINE.test(line));
  const chosen = errors.length > 0 ? errors : lines.filter((line) => !/^[IWE]\d{4} /.test(line)).slice(-3);
  const messages = new Set(chosen.map((line) => line.replace(KLOG_PREFIX, "").trim()));
  return [...messages].slice(0, 5).join("; ") || "kubeadm printed nothing";
}
