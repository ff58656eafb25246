import { DeadlineError, StepError } from "../../common/errors";
import { commandLine, quote } from "../../common/quote";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

/** Where the toolkit remembers on a machine how far kubeadm came. */
export const STATE_FOLDER = "/var/lib/kubewright/kubeadm";
const CONFIG = "/etc/kubernetes/kubewright-kubeadm.yaml";
const LOCK = "/run/kubewright-kubeadm.lock";

/** kubeadm succeeded, or did not, or the one before it never gave the lock back. */
const ANY_CODE = [0, 1];

export type KubeadmProgress = "none" | "started" | "done";

/** How far a run of kubeadm (`init`, `join`) came on this machine; `done` counts only while its kubeconfig is there. */
export async function readProgress(
  machine: Remote,
  verb: string,
  kubeconfig: string,
  signal: AbortSignal,
): Promise<KubeadmProgress> {
  const script = `if [ -e ${STATE_FOLDER}/${verb}.done ] && [ -e ${kubeconfig} ]; then echo done
elif [ -e ${STATE_FOLDER}/${verb}.started ]; then echo started
else echo none
fi`;
  const { stdout } = await machine.look(script, { step: `looking how far kubeadm ${verb} came`, signal });
  return stdout.trim() as KubeadmProgress;
}

export interface KubeadmRun {
  verb: "init" | "join";
  /** Further words of the command line, without secrets. */
  flags: readonly string[];
  /** The configuration with its secrets: it goes by stdin, and is a 0600 file on the machine while kubeadm runs. */
  config: string;
  /** Seconds. */
  timeout: number;
  action: string;
}

/**
 * Runs kubeadm under a lock on the machine: a run that a broken connection left behind goes on, is waited for, and counts; it is not raced.
 * Its phases become the resource's status line.
 */
export async function runKubeadm(context: Context, machine: Remote, run: KubeadmRun): Promise<void> {
  const step = `kubeadm ${run.verb}`;
  const command = commandLine(["kubeadm", run.verb, "--config", CONFIG, "-v=1", ...run.flags]);
  const done = `${STATE_FOLDER}/${run.verb}.done`;
  // -o: the kubelet that kubeadm starts must not inherit the lock. tee -p reads on when nobody listens any more: a kubeadm that writes to a
  // pipe without an end would be killed.
  const script = `mkdir -p ${STATE_FOLDER}
exec flock -o -w ${run.timeout} ${LOCK} sh -c ${quote(`
[ -e ${done} ] && exit 0
trap 'rm -f ${CONFIG}' EXIT
(umask 077; exec cat > ${CONFIG})
[ "$(wc -c < ${CONFIG})" -eq ${Buffer.byteLength(run.config)} ] || exit 1 # the connection broke in the middle of it
touch ${STATE_FOLDER}/${run.verb}.started
(${command} </dev/null && touch ${done}) 2>&1 | tee -p /dev/null
[ -e ${done} ]
`)}`;
  const lines: string[] = [];
  const onLine = (line: string) => {
    lines.push(line);
    const phase = /^\[([\w-]+)\] /.exec(line)?.[1];
    if (phase) context.status(`kubeadm ${run.verb}: ${phase}`);
  };
  try {
    const { code } = await machine.run(script, {
      step,
      signal: context.signal,
      timeout: run.timeout,
      onLine,
      accept: ANY_CODE,
      stdin: run.config,
    });
    if (code !== 0)
      throw new StepError({ step, machine: machine.label, cause: extractCause(lines), action: run.action });
  } catch (error) {
    throw error instanceof DeadlineError
      ? new StepError({
          ...error.failure,
          cause: `${error.failure.cause}; its last words: ${extractCause(lines)}`,
          action: run.action,
        })
      : error;
  } finally {
    const removal = { step: "removing kubeadm's configuration", signal: AbortSignal.timeout(10_000) };
    await machine.run(`rm -f ${CONFIG}`, removal).catch(() => undefined);
  }
}

/** kubeadm's own words for what went wrong, without its klog lines and stack traces. */
export function extractCause(lines: readonly string[]): string {
  const errors = lines.filter((line) =>
    /^\s*\[ERROR |^error|^\s*error:|error execution phase|couldn't|timed? ?out/i.test(line),
  );
  const chosen = errors.length > 0 ? errors : lines.filter((line) => !/^[IWE]\d{4} /.test(line)).slice(-3);
  return (
    [...new Set(chosen.map((line) => line.replace(/^[IWE]\d{4} \S+ +\d+ \S+\] /, "").trim()))].slice(0, 5).join("; ") ||
    "it said nothing"
  );
}
