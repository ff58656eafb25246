import { posix } from "node:path";
import { commandLine, quote } from "../../common/quote";
import { ARRIVING_SUFFIX } from "../../contracts/files";
import type { OutgoingFile } from "./archive";

/** Defines the shell function `sum`. openssl is five times as fast as coreutils; both print the hash first. */
export const SUM = `if command -v openssl >/dev/null 2>&1
then sum() { openssl dgst -sha256 -r; }
else sum() { sha256sum; }
fi`;

/** What a machine was like before its first change: lines such as `folder PATH` and `sysctl NAME VALUE`. */
export const RECORD = "/var/lib/kubewright/machine-before";
/** Folder for files that existed before the first write, at their own paths. */
const KEPT = "/var/lib/kubewright/previous";

/**
 * Defines the shell function `is_restored`. The machine's record names the files that were restored, because a removal
 * may run again after an interruption: it must not remove them.
 */
const IS_RESTORED = `is_restored() { grep -qsxF "restored $1" ${RECORD}; }`;

/** Copies files that exist to the folder of kept files, unless they are there. A restored file is kept again. */
export function keepScript(paths: readonly string[], keepsPrevious: boolean): string {
  return `${IS_RESTORED}
for f in ${commandLine(paths)}; do
  ${keepsPrevious ? "" : 'is_restored "$f" || continue'}
  if [ -f "$f" ] && [ ! -e "${KEPT}$f" ] && [ ! -L "${KEPT}$f" ]; then
    mkdir -p "${KEPT}\${f%/*}"
    cp -a "$f" "${KEPT}$f.new"
    mv -fT "${KEPT}$f.new" "${KEPT}$f"
  fi
  if is_restored "$f"; then
    grep -vxF "restored $f" ${RECORD} > ${RECORD}.new || true
    mv -fT ${RECORD}.new ${RECORD}
  fi
done
`;
}

/** Removes files, and restores those that existed before the first write. */
export function removeScript(paths: readonly string[]): string {
  return `${IS_RESTORED}
for f in ${commandLine(paths)}; do
  if [ -e "${KEPT}$f" ] || [ -L "${KEPT}$f" ]; then
    mkdir -p "\${f%/*}"
    [ ! -e ${RECORD} ] || is_restored "$f" || echo "restored $f" >> ${RECORD}
    mv -fT "${KEPT}$f" "$f"
  elif ! is_restored "$f"; then rm -f "$f"
  fi
done
if [ -d ${KEPT} ]; then find ${KEPT} -depth -type d -empty -delete; rmdir /var/lib/kubewright 2>/dev/null || true; fi`;
}

/** How files reach a machine: a script that puts each at its path with `ARRIVING_SUFFIX`, with its mode. */
export interface Arrival {
  script: string;
  /** Commands without single quotes that remove what the script leaves, also after a failure. */
  cleanup?: string;
}

/** Receives files, verifies them by hash, and moves them into place, each atomically. */
export function receiveScript(
  files: readonly OutgoingFile[],
  { script, cleanup = "" }: Arrival,
  keepsPrevious: boolean,
): string {
  const paths = files.map(({ path }) => path);
  const folders = [...new Set(paths.map((path) => posix.dirname(path)))];
  const targets = commandLine(paths);
  const inTrap = targets.replaceAll("'", `'\\''`);
  return `set -e
${SUM}
trap 'for f in ${inTrap}; do rm -f "$f${ARRIVING_SUFFIX}"; done${cleanup && `; ${cleanup}`}' EXIT
mkdir -p ${commandLine(folders)}
${keepScript(paths, keepsPrevious)}${script}
verify() {
  [ "$(sum < "$1${ARRIVING_SUFFIX}" | cut -d' ' -f1)" = "$2" ] && return
  echo "$1 arrived damaged: its checksum does not match" >&2
  exit 1
}
${files.map(({ path, sha256: hash }) => `verify ${quote(path)} ${hash}`).join("\n")}
for f in ${targets}; do mv -fT "$f${ARRIVING_SUFFIX}" "$f"; done
if command -v restorecon >/dev/null 2>&1; then restorecon ${targets}; fi
`;
}
