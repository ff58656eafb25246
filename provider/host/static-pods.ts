import { commandLine, quote } from "../../common/quote";
import type { Remote } from "../ssh/remote";
import { SEARCHED_LINES, chooseErrors } from "./log-lines";

/** Containers of a static pod, as the machine itself knows them: the API cannot be asked while its server is down. */
export interface PodState {
  /** Containers that have logged, with the newest pod first. `starts` is the number of the container's starts. */
  started: { uid: string; container: string; starts: number }[];
  running: { uid: string; container: string; id: string }[];
}

export const NO_PODS: PodState = { started: [], running: [] };

const LOGS = "/var/log/pods";

/**
 * Reads the containers of a static pod. The kubelet derives the pod's uid from its manifest, so that a changed manifest
 * makes another uid, and numbers the log files of a container by its starts.
 * @param pod the pod's name in the API: `etcd-control-plane-1`
 */
export async function readPodState(machine: Remote, pod: string, signal: AbortSignal): Promise<PodState> {
  const ofPod = `labels."io.kubernetes.pod.name"==${pod}`;
  const script = `for folder in $(ls -dt ${LOGS}/*_${quote(pod)}_*/*/ 2>/dev/null); do
  last=$(ls "$folder" | sed -n 's/^\\([0-9]*\\)\\.log$/\\1/p' | sort -n | tail -n 1)
  [ -z "$last" ] || echo "started $folder $last"
done
running=$(ctr --connect-timeout 2s -n k8s.io tasks ls 2>/dev/null | awk '$3 == "RUNNING" {print $1}')
for id in $(ctr --connect-timeout 2s -n k8s.io containers ls -q ${quote(ofPod)} 2>/dev/null); do
  case " $(echo $running) " in *" $id "*) ;; *) continue ;; esac
  ctr -n k8s.io containers info "$id" 2>/dev/null | awk -F'"' -v id="$id" '
    $2 == "io.kubernetes.pod.uid" {uid = $4}
    $2 == "io.kubernetes.container.name" {name = $4}
    END {if (name != "") print "running", uid, name, id}'
done
docker ps --no-trunc --filter ${quote(`label=io.kubernetes.pod.name=${pod}`)} --format \\
  'running {{.Label "io.kubernetes.pod.uid"}} {{.Label "io.kubernetes.container.name"}} {{.ID}}' 2>/dev/null
true`;
  const { stdout } = await machine.read(script, { step: `reading the containers of ${pod}`, signal });
  return parsePodState(stdout);
}

export function parsePodState(output: string): PodState {
  const state: PodState = { started: [], running: [] };
  for (const line of output.split("\n")) {
    const [, uid, container, last] = /^started \S*_(\S+)\/([^/\s]+)\/ (\d+)$/.exec(line) ?? [];
    if (uid !== undefined && container !== undefined) state.started.push({ uid, container, starts: Number(last) + 1 });
    const [, runningUid, name, id] = /^running (\S+) (\S+) (\S+)$/.exec(line) ?? [];
    if (runningUid !== undefined && name !== undefined && id !== undefined && name !== "POD")
      state.running.push({ uid: runningUid, container: name, id });
  }
  return state;
}

/** Returns the uids of the pods that run. Where none runs, the newest one that did. */
export function currentUids({ running, started }: PodState): Set<string> {
  return new Set(running.length > 0 ? running.map(({ uid }) => uid) : started.slice(0, 1).map(({ uid }) => uid));
}

/** Returns how often a pod's containers have exited. */
export function countExits({ running, started }: PodState, isCounted: (uid: string) => boolean): number {
  return started
    .filter(({ uid }) => isCounted(uid))
    .reduce((sum, { uid, container, starts }) => {
      const runs = running.some((one) => one.uid === uid && one.container === container);
      return sum + starts - (runs ? 1 : 0);
    }, 0);
}

/** Kills containers, which the kubelet starts again. Those that have ended are skipped. */
export async function killContainers(machine: Remote, { running }: PodState, signal: AbortSignal): Promise<void> {
  if (running.length === 0) return;
  const script = `for id in ${commandLine(running.map(({ id }) => id))}; do
  ctr --connect-timeout 2s -n k8s.io tasks kill -s SIGKILL "$id" 2>/dev/null || docker kill "$id" >/dev/null 2>&1 || :
done`;
  await machine.run(script, { step: `restarting ${running.map(({ container }) => container).join(" and ")}`, signal });
}

/** Returns the last errors that a static pod logged; where it logged nothing, what the kubelet logged about it. */
export async function readPodLog(machine: Remote, pod: string, signal: AbortSignal): Promise<string> {
  const folders = `${LOGS}/*_${quote(pod)}_*/`;
  const script = `log=$(find -L ${folders} -name '*.log' -size +0 -exec ls -t {} + 2>/dev/null | head -n 1)
if [ -n "$log" ]; then tail -n ${SEARCHED_LINES} "$log"
else journalctl -u kubelet -n ${SEARCHED_LINES} --no-pager -o cat -q 2>/dev/null | grep -F ${quote(pod)} | tail -n 3
fi; true`;
  const { stdout } = await machine.read(script, { step: `reading the log of ${pod}`, signal });
  return chooseErrors(stdout.split("\n").map(stripPrefix).join("\n")).join("\n");
}

/** Removes what the runtime adds to a line: time, stream and flag of the CRI, or the JSON of Docker. */
function stripPrefix(line: string): string {
  if (line.startsWith('{"log":')) return (/^\{"log":"((?:[^"\\]|\\.)*?)(?:\\n)?",/.exec(line)?.[1] ?? line).trimEnd();
  return line.replace(/^\S+ (?:stdout|stderr) [FP] /, "").trimEnd();
}
