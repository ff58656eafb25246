import { quote } from "../../common/quote";
import { template } from "../../render/template";

/** Returns the shell functions that download. Only an http mirror is asked over http, and may redirect to it. */
export function downloadFunctions(urls: readonly string[]): string {
  const isPlain = urls.some((url) => url.startsWith("http:"));
  return template("host/download.sh", {
    PROTOCOLS: isPlain ? "http,https" : "https",
    SCHEMES: isPlain ? "http://* | https://*" : "https://*",
  });
}

/**
 * Returns a read-only script that exits with 0 if all URLs answer a request in time, and otherwise prints a reason and
 * exits with 1.
 */
export function probeScript(urls: readonly string[], seconds: number): string {
  return `${downloadFunctions(urls)}
probe() {
  if command -v curl >/dev/null 2>&1; then timeout ${seconds} curl -fsSIL -o /dev/null "$1" 2>&1
  elif command -v wget >/dev/null 2>&1; then timeout ${seconds} wget -nv --spider --tries=1 "$1" 2>&1
  else echo "neither curl nor wget is installed"; return 1
  fi
}
check() {
  reason=$(probe "$1") && return
  printf '%s: %s\\n' "$1" "\${reason:-no answer within ${seconds} s}" >&2
  return 1
}
probes=
${urls.map((url) => `check ${quote(url)} & probes="$probes $!"`).join("\n")}
for each in $probes; do wait "$each" || exit 1; done
`;
}
