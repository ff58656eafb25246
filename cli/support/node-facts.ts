import { timeoutSignal } from "../../common/timer";
import { messageOf } from "../../common/errors";
import { machineName } from "../../provider/ssh/connection";
import type { Remote } from "../../provider/ssh/remote";
import { LOG_SOURCES, logScript } from "../nodes/log-script";
import { lineWriter } from "../terminal/line-writer";

const HOUR_S = 3_600;
/** Bytes of the logs of one node: the newest ones are kept. */
const LARGEST_LOG = 20_000_000;
/** Milliseconds until a node that does not answer is given up. */
const LIMIT_MS = 90_000;

/** Commands whose output describes a node. A command that fails or does not exist does not stop the others. */
const COMMANDS = [
  "date -u +%FT%TZ; uptime",
  "uname -a",
  "cat /etc/os-release",
  "nproc; free -m",
  "df -h",
  "ip -brief address",
  "ip route",
  "ss -ltn",
  "cat /proc/sys/net/ipv4/ip_forward; sysctl net.netfilter.nf_conntrack_max",
  "systemctl --failed --no-legend --plain",
  "systemctl --no-pager --lines=0 status kubelet containerd docker kubewright-api-balancer",
  "ls -l /etc/kubernetes /etc/kubernetes/manifests /etc/kubewright",
  "crictl ps -a",
] as const;

/** Returns the script that prints each command and its output. */
export function factsScript(): string {
  return COMMANDS.map((command) => `echo '$ ${command}'; { ${command}; } 2>&1 || true; echo`).join("\n");
}

/** What one node reported. */
export interface NodeReport {
  name: string;
  facts: string;
  logs: string;
}

/** Reads the facts of a node, and its logs of the last hour. @throws StepError where it does not answer */
export async function readNode(machine: Remote, signal: AbortSignal): Promise<NodeReport> {
  const name = machineName(machine.connection);
  const limited = timeoutSignal(LIMIT_MS, signal);
  try {
    const facts = await collectOutput(machine, factsScript(), "reading the facts", limited);
    const logs = logScript(name, { sources: LOG_SOURCES, since: HOUR_S, follow: false });
    const bounded = `{ ${logs}\n} | tail -c ${LARGEST_LOG}`;
    return { name, facts, logs: await collectOutput(machine, bounded, "reading the logs", limited) };
  } catch (error) {
    signal.throwIfAborted();
    const isSilent = limited.aborted;
    throw new Error(isSilent ? `${machine.label}: no answer within ${LIMIT_MS / 1_000} seconds` : messageOf(error));
  }
}

/** Collects output of any length. A command that is repeated after a lost connection starts over. */
async function collectOutput(machine: Remote, script: string, step: string, signal: AbortSignal): Promise<string> {
  let lines: string[] = [];
  const stdout = () => {
    lines = [];
    return lineWriter((line) => lines.push(line));
  };
  await machine.run(script, { step, signal, stdout, timeout: LIMIT_MS / 1_000 });
  return lines.join("");
}
