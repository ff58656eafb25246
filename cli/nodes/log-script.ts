import { quote } from "../../common/quote";

/** Where the lines of `logs` come from. */
export const LOG_SOURCES = ["kubelet", "containerd", "docker", "static-pods"] as const;
export type LogSource = (typeof LOG_SOURCES)[number];

export interface LogRequest {
  sources: readonly LogSource[];
  /** Seconds before now. */
  since: number;
  /** Whether new lines are printed until the script is stopped. */
  follow: boolean;
}

/**
 * Returns the script that prints the logs of a node. Each line has its time, the node and the program, so the lines of
 * several nodes can be mixed.
 */
export function logScript(node: string, { sources, since, follow }: LogRequest): string {
  const units = sources.filter((source) => source !== "static-pods");
  const parts = [
    ...(units.length > 0 ? [journalScript(units, since, follow)] : []),
    ...(sources.includes("static-pods") ? [podScript(node, since, follow)] : []),
  ];
  return follow ? `${parts.map((part) => `${part} &`).join("\n")}\nwait` : parts.join("\n");
}

function journalScript(units: readonly string[], since: number, follow: boolean): string {
  const chosen = units.map((unit) => `-u ${unit}`).join(" ");
  return `journalctl --no-pager --quiet -o short-iso ${chosen} --since=-${since}s${follow ? " --follow" : ""}`;
}

/**
 * The container runtime writes "time stream tag message", with the time of the machine's zone, so times can be
 * compared as text. The folder of a static pod's log has the name of its manifest.
 */
function podScript(node: string, since: number, follow: boolean): string {
  const awk =
    '$1 >= since { time = substr($1, 1, 19); sub(/^[^ ]+ [^ ]+ [^ ]+ /, ""); ' +
    'print time, node, program ": " $0; fflush() }';
  const read = follow ? `tail -q -n +1 -F "$log"` : `cat "$log"`;
  return `since=$(date -d '-${since} seconds' +%Y-%m-%dT%H:%M:%S)
{ for manifest in /etc/kubernetes/manifests/*.yaml; do
  pod=$(basename "$manifest" .yaml)
  for log in /var/log/pods/*_"$pod"-*/*/*.log; do
    [ -e "$log" ] || continue
    ${read} | awk -v since="$since" -v node=${quote(node)} -v program="$pod" '${awk}' ${follow ? "&" : ""}
  done
done; wait; }`;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Reads a duration such as `30s`, `10m`, `2h` or `1d`, in seconds; undefined for other texts. */
export function parseDuration(text: string): number | undefined {
  const [, count = "", unit = ""] = /^([1-9]\d{0,5})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (UNITS[unit] ?? 0);
  return seconds > 0 ? seconds : undefined;
}
