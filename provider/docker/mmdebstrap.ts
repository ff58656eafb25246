import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StepError } from "../../common/errors";
import type { Progress } from "../../common/progress";
import { quote } from "../../common/quote";
import { runCommand, tryCommand } from "../../common/process";
import { aptInstall } from "./daemon";
import { readOsRelease } from "./host";
import { LABELS } from "./labels";
import { readPackages, recipeFolder } from "./recipe";

const STEP = "build the machine image";
const UNUSED_PATHS = ["/usr/share/man/*", "/usr/share/locale/*", "/usr/share/doc/*"];

/** Builds the image from the package sources of the Debian host, and imports it to Docker when it is complete. */
export async function buildFromPackages(ref: string, progress: Progress, signal: AbortSignal): Promise<void> {
  if ((await tryCommand("mmdebstrap", ["--version"], { step: STEP, signal })).code !== 0) {
    progress("installing mmdebstrap");
    await aptInstall(["mmdebstrap"], "install mmdebstrap", signal);
  }
  const folder = await mkdtemp(join(tmpdir(), "kubewright-image-"));
  try {
    const archive = join(folder, "rootfs.tar");
    const args = await bootstrapArguments(archive, signal);
    const onLine = (line: string) => reportLine(line, progress);
    await runCommand("mmdebstrap", args, { step: STEP, signal, stopGroupWith: "SIGINT", onLine });
    progress("importing the machine image");
    await runCommand("docker", importArguments(archive, ref), { step: STEP, signal });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function reportLine(line: string, progress: Progress): void {
  if (line.startsWith("I: ")) progress(`machine image: ${line.slice(3)}`);
}

async function bootstrapArguments(archive: string, signal: AbortSignal): Promise<string[]> {
  const release = readOsRelease().codename;
  const sources = await readPackageSources(release, signal);
  const exclude = UNUSED_PATHS.map((path) => `--dpkgopt=path-exclude=${path}`);
  return [
    "--variant=minbase",
    "--mode=root",
    "--format=tar",
    `--include=${readPackages().join(",")}`,
    ...(await readAptOptions(signal)).map((option) => `--aptopt=${option}`),
    ...exclude,
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
    `--customize-hook=copy-in ${quote(recipeFolder())} /tmp`,
    '--customize-hook=chroot "$1" sh /tmp/machine/setup.sh',
    release,
    archive,
    ...sources,
  ];
}

/** Returns the host's package sources for Debian, including its mirrors and caches. */
export async function readPackageSources(release: string, signal: AbortSignal): Promise<string[]> {
  const format = ["--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages", "Origin: Debian"];
  const list = () =>
    runCommand("apt-get", ["indextargets", ...format], { step: "read this system's package sources", signal });
  let sources = sourceLines(await list(), release);
  if (sources.length === 0) {
    await runCommand("apt-get", ["update"], { step: "update the package lists", signal });
    sources = sourceLines(await list(), release);
  }
  if (sources.length > 0) return sources;
  throw new StepError({
    step: STEP,
    cause: `this system has no package sources for Debian ${release}`,
    action: "add them and run `apt-get update`",
  });
}

/** Converts lines `URI release component` to lines of sources.list(5), for one release and its updates. */
export function sourceLines(listing: string, release: string): string[] {
  const rows = listing.split("\n").map((line) => line.trim().split(/\s+/));
  const ours = rows.filter(([, suite]) => suite === release || suite?.startsWith(`${release}-`));
  return [...new Set(ours.map(([uri, suite, component]) => `deb ${uri ?? ""} ${suite ?? ""} ${component ?? ""}`))];
}

/**
 * Returns the download settings of the host's apt, such as proxies and timeouts. mmdebstrap itself starts without any.
 */
export async function readAptOptions(signal: AbortSignal): Promise<string[]> {
  const options = { step: "read apt's configuration", signal };
  const dump = await runCommand("apt-config", ["dump", "--no-empty", "Acquire"], options);
  const own = dump.split("\n").filter((line) => /^Acquire::(Check-|Retries|http|https|Languages)/.test(line));
  return [...own.map((line) => line.replace(/;$/, "")), 'APT::Install-Recommends "false"'];
}

function importArguments(archive: string, ref: string): string[] {
  const changes = [
    'ENTRYPOINT ["/usr/local/sbin/entrypoint"]',
    "ENV container=docker",
    `LABEL ${LABELS.image}=${ref.slice(ref.indexOf(":") + 1)}`,
  ];
  return ["import", ...changes.flatMap((change) => ["--change", change]), archive, ref];
}
