import { commandLine, quote } from "../../common/quote";
import { readContents } from "../host/files";
import { RENEWAL_LOCK, RENEWAL_SERVICE } from "../../render/renew-certificates";
import type { Remote } from "../ssh/remote";
import { STATE_FOLDER } from "./run";

/** Folder of the copies of a control plane's files from before a change. Keys among them never leave the machine. */
const CONTROL_PLANE = `${STATE_FOLDER}/previous`;
/** Path of a list of the files that were copied, and of those that did not exist. */
const completeIn = (folder: string) => `${folder}/complete`;

const SECONDS = 60;
/** Seconds that a run waits for the timer, which renews the certificates of a control plane in about two minutes. */
const LOCK_SECONDS = 600;
/**
 * Waits for the timer that renews certificates. It changes nothing while copies exist that are not its own, so it does
 * not need the lock for longer. Copies of an interrupted renewal become those of this change.
 */
const LOCK = `mkdir -p ${STATE_FOLDER}
exec 9>>${RENEWAL_LOCK}
flock -w ${LOCK_SECONDS} 9 || { echo "${RENEWAL_SERVICE} still renews the certificates of this machine" >&2; exit 1; }
rm -f ${CONTROL_PLANE}/renewal`;

/**
 * Copies files before a change. After an interrupted change the copies of before that change stay, and only files that
 * it did not copy are added.
 */
export async function keepFiles(
  machine: Remote,
  paths: readonly string[],
  signal: AbortSignal,
  folder = CONTROL_PLANE,
): Promise<void> {
  const complete = completeIn(folder);
  const lock = folder === CONTROL_PLANE ? `${LOCK}\n` : "";
  const script = `set -e
umask 077
${lock}[ -e ${complete} ] || rm -rf ${folder}
mkdir -p ${folder}
keep() {
  { [ -e "${folder}$1" ] || grep -qxF "$1" ${complete} 2>/dev/null; } && return
  [ -e "$1" ] || return 0
  mkdir -p "$(dirname "${folder}$1")"
  cp -p "$1" "${folder}$1.new"
  mv -fT "${folder}$1.new" "${folder}$1"
}
for file in ${commandLine(paths)}; do keep "$file"; done
printf '%s\\n' ${commandLine(paths)} >> ${complete}`;
  await machine.run(script, { step: "keeping the previous files", signal, timeout: LOCK_SECONDS + SECONDS });
}

/** Reads the kept copies of text files. */
export async function readKeptFiles(
  machine: Remote,
  paths: readonly string[],
  signal: AbortSignal,
  folder = CONTROL_PLANE,
): Promise<Map<string, string>> {
  const copies = await readContents(
    machine,
    paths.map((path) => `${folder}${path}`),
    signal,
  );
  return new Map([...copies].map(([path, content]) => [path.slice(folder.length), content]));
}

/**
 * Restores the kept files, and removes those that did not exist. Each file arrives under a hidden name, which the
 * kubelet ignores, and is moved into place.
 */
export async function restoreKeptFiles(
  machine: Remote,
  paths: readonly string[],
  signal: AbortSignal,
  folder = CONTROL_PLANE,
): Promise<void> {
  const restored = paths.map((path) => {
    const [kept, file] = [quote(`${folder}${path}`), quote(path)];
    return `if [ ! -e ${kept} ]; then rm -f ${file}
elif ! cmp -s ${kept} ${file}; then
  hidden="$(dirname ${file})/.$(basename ${file}).kept"
  cp -p ${kept} "$hidden"
  mv -fT "$hidden" ${file}
fi`;
  });
  const script = ["set -e", `[ -e ${completeIn(folder)} ]`, ...restored].join("\n");
  await machine.run(script, { step: "restoring the previous files", signal });
}

export async function dropKeptFiles(machine: Remote, signal: AbortSignal, folder = CONTROL_PLANE): Promise<void> {
  await machine.run(`rm -rf ${folder}`, { step: "removing copies of the previous files", signal });
}
