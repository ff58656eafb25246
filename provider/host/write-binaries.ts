import { dirname } from "node:path";
import { originOf } from "../../artifacts";
import { StepError } from "../../common/errors";
import { ConnectionError, RootError } from "../ssh/errors";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import type { OutgoingFile } from "./archive";
import { type DownloadedFile, downloadScript } from "./download-script";
import { type Delivery, type WriteOptions, stream, writeFiles } from "./files";

/** Seconds for all downloads of one resource. */
const DOWNLOAD_SECONDS = 3_600;
const COPY = "copying binaries";
const DOWNLOAD = "downloading binaries";

/**
 * Writes the binaries that differ. With the setting `transfer: push` this computer copies them, with `pull` the machine
 * downloads them, and with `auto` it does so if it reaches their source. If that fails, this computer copies them.
 * @throws StepError if a machine cannot download a file, and `transfer` is `pull`
 */
export async function writeBinaries(
  context: Context,
  machine: Remote,
  files: readonly OutgoingFile[],
  options: Pick<WriteOptions, "keepsPrevious">,
): Promise<void> {
  const { settings, signal, sources } = context;
  const copy = (outdated: readonly OutgoingFile[]) => {
    context.status(`copying ${amount(outdated)}`);
    return stream(outdated);
  };
  let isDownload = false;
  const deliver = async (outdated: readonly OutgoingFile[]) => {
    const download = settings.transfer === "push" ? undefined : await chooseDownload(context, machine, outdated);
    isDownload = download !== undefined;
    return download ?? copy(outdated);
  };
  try {
    await writeFiles(machine, files, COPY, signal, { ...options, deliver });
  } catch (error) {
    if (!isDownload || settings.transfer === "pull" || !isDownloadFailure(error)) throw error;
    const { cause } = error.failure;
    sources.recordFailure(machine, cause);
    context.warn(`${machine.label} could not download its binaries, so this computer copies them: ${cause}`);
    await writeFiles(machine, files, COPY, signal, { ...options, deliver: copy });
  }
}

/** A failure of the script on the machine: after one of the connection, a copy would fail too. */
function isDownloadFailure(error: unknown): error is StepError {
  return error instanceof StepError && !(error instanceof ConnectionError) && !(error instanceof RootError);
}

function amount(files: readonly OutgoingFile[]): string {
  const total = Math.round(files.reduce((sum, { size }) => sum + size, 0) / 1e6);
  return `${files.length} binaries (${total} MB)`;
}

/** Returns how the machine downloads the files; undefined if they are to be copied. */
async function chooseDownload(
  context: Context,
  machine: Remote,
  files: readonly OutgoingFile[],
): Promise<Delivery | undefined> {
  const { settings, sources, signal, status } = context;
  const downloaded = await withOrigins(files, settings.transfer === "pull" ? machine : undefined);
  if (downloaded === undefined) return undefined;
  if (settings.transfer === "auto") {
    const urls = downloaded.map(({ origin }) => origin.url);
    if ((await sources.findObstacle(machine, urls, signal)) !== undefined) return undefined;
  }
  status(`downloading ${amount(files)} on the machine`);
  return {
    ...downloadScript(downloaded),
    step: DOWNLOAD,
    timeout: DOWNLOAD_SECONDS,
    action: "check that the machine reaches the source, or set `transfer` to auto or push",
  };
}

/**
 * Adds to each file the download that it comes from; undefined if one has none.
 * @param required the machine that must download, for the error
 */
async function withOrigins(
  files: readonly OutgoingFile[],
  required: Remote | undefined,
): Promise<DownloadedFile[] | undefined> {
  const downloaded: DownloadedFile[] = [];
  for (const file of files) {
    const source = typeof file.body === "string" ? undefined : file.body.source;
    const origin = source === undefined ? undefined : await originOf(source);
    if (origin) downloaded.push({ file, origin });
    else if (required) throw unknownOrigin(file.path, source, required);
    else return undefined;
  }
  return downloaded;
}

function unknownOrigin(path: string, source: string | undefined, machine: Remote): StepError {
  return new StepError({
    step: DOWNLOAD,
    machine: machine.label,
    cause: `the cache of this computer does not record from where ${path} can be downloaded`,
    action:
      (source === undefined ? "" : `delete ${dirname(source)} and run the command again to download it again, or `) +
      "set `transfer` to auto or push",
  });
}
