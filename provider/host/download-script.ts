import { createHash } from "node:crypto";
import type { Origin } from "../../artifacts";
import { commandLine, quote } from "../../common/quote";
import { ARRIVING_SUFFIX } from "../../contracts/files";
import { downloadFunctions } from "../transfer/probe";
import type { OutgoingFile } from "./archive";
import { earlierRun } from "./earlier-run";
import type { Arrival } from "./file-scripts";

const FOLDER = "/var/lib/kubewright/download";

/** A file, and the download that a machine gets it from. */
export interface DownloadedFile {
  file: OutgoingFile;
  origin: Origin;
}

/**
 * Returns a script that downloads each archive once, verifies its published checksum before it is unpacked, and leaves
 * each file at its path with `ARRIVING_SUFFIX`.
 */
export function downloadScript(files: readonly DownloadedFile[]): Arrival {
  const downloads = new Map(files.map(({ origin }) => [origin.url, origin.sha256]));
  const key = createHash("sha256").update(JSON.stringify(files)).digest("hex");
  const earlier = earlierRun("download", key);
  const urls = [...downloads.keys()];
  const pathOf = (url: string) => `"$folder"/${urls.indexOf(url)}`;
  const script = `${earlier.stop}
# PIPE: a shell that is stopped prints so, to a connection that may be closed.
trap 'exit 143' TERM HUP INT PIPE
folder=${FOLDER}-${key.slice(0, 12)}
rm -rf "$folder"
mkdir -p "$folder"
chmod 0700 "$folder"
${downloadFunctions(urls)}
downloads=
${urls.map((url) => `fetch ${quote(url)} ${pathOf(url)} & downloads="$downloads $!"`).join("\n")}
failed=
for download in $downloads; do wait "$download" || failed=1; done
[ -z "$failed" ] || exit 1
published() {
  actual=$(sum < "$1" | cut -d' ' -f1)
  [ "$actual" = "$2" ] && return
  echo "$3: its checksum is $actual, but $2 is published" >&2
  exit 1
}
${[...downloads].map(([url, sha256]) => `published ${pathOf(url)} ${sha256} ${quote(url)}`).join("\n")}
${urls.flatMap((url) => unpack(membersOf(files, url), pathOf(url))).join("\n")}
${files.map((each, index) => place(each, pathOf(each.origin.url), files.slice(index + 1))).join("\n")}
`;
  return { script, cleanup: `rm -rf ${FOLDER}-${key.slice(0, 12)}; ${earlier.cleanup}` };
}

function membersOf(files: readonly DownloadedFile[], url: string): string[] {
  return files.flatMap(({ origin }) => (origin.url === url && origin.member !== undefined ? [origin.member] : []));
}

function unpack(members: readonly string[], archive: string): string[] {
  if (members.length === 0) return [];
  const names = commandLine([...new Set(members)]);
  return [`mkdir ${archive}.files\ntar -xzf ${archive} -C ${archive}.files --no-same-owner -- ${names}\nrm ${archive}`];
}

/** Moves a file beside its path, or copies it if it has another path too. */
function place({ file, origin }: DownloadedFile, download: string, later: readonly DownloadedFile[]): string {
  const source = origin.member === undefined ? download : `${download}.files/${quote(origin.member)}`;
  const isLast = !later.some((other) => other.origin.url === origin.url && other.origin.member === origin.member);
  const target = quote(`${file.path}${ARRIVING_SUFFIX}`);
  return `${isLast ? "mv -fT" : "cp -T"} ${source} ${target}\nchmod ${file.mode} ${target}`;
}
