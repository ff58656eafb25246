import { sha256Schema } from "../../contracts/files";
import { commandLine, quote } from "../../common/quote";
import type { Remote } from "../ssh/remote";
import { SUM } from "./files";

const FOLDER = "/var/lib/kubewright/programs";
/**
 * Folder with what a unit's program was before it was replaced. Another resource writes the new program, so the unit
 * keeps the one that still runs until the new one is healthy.
 */
const folderOf = (unit: string) => quote(`${FOLDER}/${unit}`);

/** Returns the checksums of programs among the values on whose change a unit restarts. */
export function programHashes(restartOn: Readonly<Record<string, string>> = {}): string[] {
  return Object.values(restartOn).filter((value) => sha256Schema.safeParse(value).success);
}

/**
 * Keeps the program that a unit runs, if its file was replaced since its start. A program that was put back after an
 * earlier attempt is installed again first, because the resource that wrote it has nothing left to do.
 * @param restartOn Values on whose change the unit restarts, among them the SHA-256 of its configured programs
 */
export async function keepProgram(
  machine: Remote,
  { unit, restartOn }: { unit: string; restartOn?: Readonly<Record<string, string>> | undefined },
  signal: AbortSignal,
): Promise<void> {
  const hashes = programHashes(restartOn);
  if (hashes.length === 0) return;
  const script = `set -e
${SUM}
kept=${folderOf(unit)}
[ ! -e "$kept/program" ] || exit 0 # an earlier attempt was interrupted
pid=$(systemctl show -p MainPID --value ${quote(unit)})
[ "\${pid:-0}" -gt 0 ] || exit 0
path=$(readlink "/proc/$pid/exe")
path=\${path%" (deleted)"}
umask 077
mkdir -p "$kept"
if [ -e "$kept/refused" ]; then
  hash=$(sum < "$kept/refused" | cut -d' ' -f1)
  case " ${commandLine(hashes)} " in *" $hash "*) mv -fT "$kept/refused" "$path" ;; *) rm -f "$kept/refused" ;; esac
fi
if [ "$path" -ef "/proc/$pid/exe" ]; then exit 0; fi
printf %s "$path" > "$kept/path"
cp "/proc/$pid/exe" "$kept/program.arriving"
chmod 0755 "$kept/program.arriving"
mv -fT "$kept/program.arriving" "$kept/program"`;
  await machine.run(script, { step: `keeping the program of ${unit}`, signal });
}

/** Returns the path of a unit's program if the previous one was kept. */
export async function readKeptProgram(machine: Remote, unit: string, signal: AbortSignal): Promise<string | undefined> {
  const script = `kept=${folderOf(unit)}; [ ! -e "$kept/program" ] || cat "$kept/path"`;
  const { stdout } = await machine.run(script, { step: `reading the kept program of ${unit}`, signal });
  return stdout.trim() || undefined;
}

/**
 * Reads what a unit's kept program and the one in its place print for `--version`, first lines only.
 * @returns undefined if no program was kept
 */
export async function readKeptVersions(
  machine: Remote,
  unit: string,
  signal: AbortSignal,
): Promise<{ previous: string; current: string } | undefined> {
  const script = `kept=${folderOf(unit)}
[ -e "$kept/program" ] || exit 0
for program in "$kept/program" "$(cat "$kept/path")"; do echo "$("$program" --version 2>/dev/null | head -n 1)"; done`;
  const { stdout } = await machine.read(script, { step: `reading the versions of ${unit}`, signal });
  if (stdout === "") return undefined;
  const [previous = "", current = ""] = stdout.split("\n");
  return { previous, current };
}

/** Puts a unit's previous program back. The new one stays in the folder for the next attempt. */
export async function restoreProgram(machine: Remote, unit: string, signal: AbortSignal): Promise<void> {
  const script = `set -e
kept=${folderOf(unit)}
[ -e "$kept/program" ] || exit 0
path=$(cat "$kept/path")
[ ! -e "$path" ] || cp -p "$path" "$kept/refused"
cp -p "$kept/program" "$path.arriving"
mv -fT "$path.arriving" "$path"
rm -f "$kept/program"
if command -v restorecon >/dev/null 2>&1; then restorecon "$path"; fi`;
  await machine.run(script, { step: `restoring the program of ${unit}`, signal });
}

export async function dropKeptProgram(machine: Remote, unit: string, signal: AbortSignal): Promise<void> {
  const script = `rm -rf ${folderOf(unit)}
rmdir ${FOLDER} 2>/dev/null || true`;
  await machine.run(script, { step: `removing the kept program of ${unit}`, signal });
}
