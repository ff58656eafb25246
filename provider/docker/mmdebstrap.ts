import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { StepError } from "../../common/errors";
import type { Progress } from "../../common/progress";
import { quote } from "../../common/quote";
import { attempt, run } from "./command";
import { aptInstall } from "./daemon";
import { osRelease } from "./host";
import { LABELS } from "./labels";
import { packages, recipeFolder } from "./recipe";

const STEP = "building the machine image";
const UNUSED_PATHS = ["/usr/share/man/*", "/usr/share/locale/*", "/usr/share/doc/*"];

/** Builds the image out of the Debian host's own package sources, and imports it when it is whole. */
export async function buildFromPackages(ref: string, progress: Progress, signal: AbortSignal): Promise<void> {
  if ((await attempt("mmdebstrap", ["--version"], { step: STEP, signal })).code !== 0) {
    progress("installing mmdebstrap");
    await aptInstall(["mmdebstrap"], "installing mmdebstrap", signal);
  }
  const folder = await mkdtemp(join(tmpdir(), "kubewright-image-"));
  try {
    const archive = join(folder, "rootfs.tar");
    const args = await bootstrapArguments(archive, signal);
    await run("mmdebstrap", args, { step: STEP, signal, wholeGroup: true, onLine: (line) => report(line, progress) });
    progress("importing the machine image");
    await run("docker", importArguments(archive, ref), { step: STEP, signal });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function report(line: string, progress: Progress): void {
  if (line.startsWith("I: ")) progress(`machine image: ${line.slice(3)}`);
}

async function bootstrapArguments(archive: string, signal: AbortSignal): Promise<string[]> {
  const release = osRelease().codename;
  const sources = await packageSources(release, signal);
  const exclude = UNUSED_PATHS.map((path) => `--dpkgopt=path-exclude=${path}`);
  return [
    "--variant=minbase",
    "--mode=root",
    "--format=tar",
    `--include=${packages().join(",")}`,
    ...(await aptOptions(signal)).map((option) => `--aptopt=${option}`),
    ...exclude,
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
    `--customize-hook=copy-in ${quote(recipeFolder())} /tmp`,
    '--customize-hook=chroot "$1" sh /tmp/machine/setup.sh',
    release,
    archive,
    ...sources,
  ];
}

/** Debian's own sources as this host has them, so that mirrors and caches in use here are used. */
async function packageSources(release: string, signal: AbortSignal): Promise<string[]> {
  const format = ["--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages", "Origin: Debian"];
  const list = () =>
    run("apt-get", ["indextargets", ...format], { step: "reading this system's package sources", signal });
  let found = sourceLines(await list(), release);
  if (found.length === 0) {
    await run("apt-get", ["update"], { step: "reading the package lists", signal });
    found = sourceLines(await list(), release);
  }
  if (found.length > 0) return found;
  throw new StepError({
    step: STEP,
    cause: `this system has no package sources for Debian ${release}`,
    action: "add them, run `apt-get update`",
  });
}

/** Pure: lines of `URI release component` as lines of sources.list(5), for one release and its updates. */
export function sourceLines(listing: string, release: string): string[] {
  const rows = listing.split("\n").map((line) => line.trim().split(/\s+/));
  const ours = rows.filter(([, suite]) => suite === release || suite?.startsWith(`${release}-`));
  return [...new Set(ours.map(([uri, suite, component]) => `deb ${uri ?? ""} ${suite ?? ""} ${component ?? ""}`))];
}

/** How this host's apt fetches (proxies, timeouts, dates of snapshots): mmdebstrap starts with an empty configuration. */
async function aptOptions(signal: AbortSignal): Promise<string[]> {
  const dump = await run("apt-config", ["dump", "--no-empty", "Acquire"], {
    step: "reading apt's configuration",
    signal,
  });
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
