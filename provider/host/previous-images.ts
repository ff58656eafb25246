import { commandLine, quote } from "../../common/quote";
import type { Remote } from "../ssh/remote";
import { readContents } from "./files";
import type { ImageStore } from "./image-store";

/** Folder with an empty file for each archive that was loaded, named by its checksum. */
export const LOADED = "/var/lib/kubewright/images";

interface Archive {
  sha256: string;
  refs: readonly string[];
}

/** An archive that was replaced by another one of the same name. */
export interface ReplacedArchive {
  name: string;
  previous: Archive;
  /** All archives that the machine has now. */
  current: readonly Archive[];
}

/**
 * Records the images that the replaced archive had, and lets the kubelet delete those that the archive before it had,
 * when the disk is full and no container uses them. The images of one version remain: a change that does not become
 * healthy is reverted to them.
 */
export async function releaseOldImages(
  machine: Remote,
  store: ImageStore,
  { name, previous, current }: ReplacedArchive,
  signal: AbortSignal,
): Promise<void> {
  const file = `${LOADED}/previous-${name}`;
  const record = [previous.sha256, ...previous.refs].join("\n");
  const recorded = (await readContents(machine, [file], signal)).get(file)?.trim();
  if (recorded === record) return; // an interrupted run continues
  const [sha256 = "", ...refs] = recorded?.split("\n") ?? [];
  const kept = new Set([...current, previous].flatMap((archive) => [archive.sha256, ...archive.refs]));
  const old = refs.filter((ref) => !kept.has(ref));
  const script = [
    "set -e",
    ...(old.length > 0 ? [store.unpin(old)] : []),
    // Without its record the archive is loaded again when the machine returns to it, and its images are pinned again.
    ...(sha256 && !kept.has(sha256) ? [`rm -f ${quote(`${LOADED}/${sha256}`)}`] : []),
    `mkdir -p ${LOADED}`,
    `printf '%s\\n' ${commandLine([record])} >${quote(file)}`,
  ];
  await machine.run(script.join("\n"), { step: `releasing the previous ${name} images`, signal });
}
