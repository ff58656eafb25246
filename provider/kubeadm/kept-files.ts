import { commandLine, quote } from "../../common/quote";
import { readContents } from "../host/files";
import type { Remote } from "../ssh/remote";
import { STATE_FOLDER } from "./run";

/** Copies of the control plane's files as they were before a change. Keys among them never leave the machine. */
const KEPT = `${STATE_FOLDER}/previous`;
/** Lists the files that were copied, and those that did not exist. */
const COMPLETE = `${KEPT}/complete`;

/**
 * Copies files before a change. After an interrupted change the copies of before that change stay, and only files that
 * it did not copy are added.
 */
export async function keepFiles(machine: Remote, paths: readonly string[], signal: AbortSignal): Promise<void> {
  const script = `set -e
umask 077
[ -e ${COMPLETE} ] || rm -rf ${KEPT}
mkdir -p ${KEPT}
keep() {
  { [ -e "${KEPT}$1" ] || grep -qxF "$1" ${COMPLETE} 2>/dev/null; } && return
  [ -e "$1" ] || return 0
  mkdir -p "$(dirname "${KEPT}$1")"
  cp -p "$1" "${KEPT}$1.new"
  mv -fT "${KEPT}$1.new" "${KEPT}$1"
}
for file in ${commandLine(paths)}; do keep "$file"; done
printf '%s\\n' ${commandLine(paths)} >> ${COMPLETE}`;
  await machine.run(script, { step: "keeping the control plane's files", signal });
}

/** Reads the kept copies of text files. */
export async function readKeptFiles(
  machine: Remote,
  paths: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const copies = await readContents(
    machine,
    paths.map((path) => `${KEPT}${path}`),
    signal,
  );
  return new Map([...copies].map(([path, content]) => [path.slice(KEPT.length), content]));
}

/**
 * Restores the kept files, and removes those that did not exist. Each file arrives under a hidden name, which the
 * kubelet ignores, and is moved into place.
 */
export async function restoreKeptFiles(machine: Remote, paths: readonly string[], signal: AbortSignal): Promise<void> {
  const restored = paths.map((path) => {
    const [kept, file] = [quote(`${KEPT}${path}`), quote(path)];
    return `if [ ! -e ${kept} ]; then rm -f ${file}
elif ! cmp -s ${kept} ${file}; then
  hidden="$(dirname ${file})/.$(basename ${file}).kept"
  cp -p ${kept} "$hidden"
  mv -fT "$hidden" ${file}
fi`;
  });
  const script = ["set -e", `[ -e ${COMPLETE} ]`, ...restored].join("\n");
  await machine.run(script, { step: "restoring the control plane's files", signal });
}

export async function dropKeptFiles(machine: Remote, signal: AbortSignal): Promise<void> {
  await machine.run(`rm -rf ${KEPT}`, { step: "removing copies of the control plane's files", signal });
}
