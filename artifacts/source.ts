import { coerce, gte } from "semver";
import { timeoutSignal } from "../common/timer";
import { StepError, messageOf } from "../common/errors";
import { request } from "./http";
import { readOutput } from "../common/process";
import { loadVersions, type Versions } from "./versions";

export type Source = { kind: "official" } | { kind: "mirror"; url: string } | { kind: "modules" };

export interface SourceChoice {
  source: Source;
  /** Why this source was chosen, as a sentence for the user. */
  reason: string;
}

/** Checks of the controller's network and tools. Replaced in unit tests. */
export interface Probes {
  /** Requests a URL. Returns the reason if the server cannot be used, otherwise undefined. */
  probeUrl(url: string, signal: AbortSignal): Promise<string | undefined>;
  /** Returns the version of the Go toolchain, or undefined without one. */
  readGoVersion(): Promise<string | undefined>;
}

/** Seconds for all official hosts together, which are probed in parallel. */
const PROBE_TIMEOUT_S = 3;

/**
 * Resolves the setting to a source. `auto` probes the official hosts, then the Go toolchain.
 * @throws StepError when the setting is invalid, or no source can be used
 */
export async function chooseSource(
  setting: string,
  signal: AbortSignal,
  probes: Probes = realProbes,
): Promise<SourceChoice> {
  if (setting === "auto") return chooseAutomatically(signal, probes);
  if (setting === "official")
    return { source: { kind: "official" }, reason: "downloading from the official hosts, as configured" };
  if (setting === "modules") return chooseModules(probes);
  return { source: { kind: "mirror", url: mirrorUrl(setting) }, reason: `using the mirror ${setting}, as configured` };
}

/** Returns the mirror's URL without trailing slashes. @throws StepError when the setting is not an http(s) URL */
export function mirrorUrl(setting: string): string {
  if (URL.canParse(setting) && /^https?:$/.test(new URL(setting).protocol)) return setting.replace(/\/+$/, "");
  throw new StepError({
    step: `choose the source "${setting}"`,
    cause: "it is neither auto, official, modules nor the http(s) URL of a mirror",
    action: "correct `source`",
  });
}

async function chooseAutomatically(signal: AbortSignal, probes: Probes): Promise<SourceChoice> {
  const versions = loadVersions();
  const urls = probeUrls(versions);
  const failure = await firstFailure(urls, signal, probes);
  if (!failure) return { source: { kind: "official" }, reason: "downloading from the official hosts" };
  const go = await probes.readGoVersion();
  if (isGoSupported(go, versions)) {
    const reason = `building from Go modules with Go ${go}: the official hosts cannot be used (${failure})`;
    return { source: { kind: "modules" }, reason };
  }
  const hosts = urls.map((url) => new URL(url).host).join(", ");
  throw new StepError({
    step: "find a source of Kubernetes' binaries",
    cause: `the official hosts cannot be used (${failure}), and ${describeGo(go)}`,
    action:
      `allow access to ${hosts}, or set \`source\` to the URL of a mirror, ` +
      `or install Go ${versions.go.atLeast} or later`,
  });
}

async function chooseModules(probes: Probes): Promise<SourceChoice> {
  const versions = loadVersions();
  const go = await probes.readGoVersion();
  if (isGoSupported(go, versions))
    return { source: { kind: "modules" }, reason: `building from Go modules with Go ${go}, as configured` };
  throw new StepError({
    step: "build from Go modules",
    cause: describeGo(go),
    action: `install Go ${versions.go.atLeast} or later and put it on PATH`,
  });
}

/** Returns one URL for each official host of binaries and images. */
export function probeUrls(versions: Versions): string[] {
  const binaries = `https://dl.k8s.io/v${versions.kubernetes.default}/bin/linux/amd64/kubelet.sha256`;
  const runc = `v${versions.components.runc.version}`;
  const releases = `https://github.com/opencontainers/runc/releases/download/${runc}/runc.sha256sum`;
  return [binaries, releases, "https://registry.k8s.io/v2/", "https://ghcr.io/v2/"];
}

async function firstFailure(urls: string[], signal: AbortSignal, probes: Probes): Promise<string | undefined> {
  const limit = timeoutSignal(PROBE_TIMEOUT_S * 1000, signal);
  const failures = await Promise.all(urls.map((url) => probes.probeUrl(url, limit)));
  signal.throwIfAborted();
  return failures.find((failure) => failure !== undefined);
}

function isGoSupported(go: string | undefined, versions: Versions): boolean {
  const version = coerce(go);
  return version !== null && gte(version, versions.go.atLeast);
}

function describeGo(go: string | undefined): string {
  return go ? `the Go toolchain is too old (${go})` : "there is no Go toolchain on PATH";
}

export const realProbes: Probes = { probeUrl, readGoVersion };

async function probeUrl(url: string, signal: AbortSignal): Promise<string | undefined> {
  const host = new URL(url).host;
  try {
    const { status } = await request(url, { method: "HEAD", signal });
    // Registries answer 401 to a request without a token.
    return status < 400 || status === 401 ? undefined : `${host} returned HTTP ${status}`;
  } catch (error) {
    return `${host}: ${reasonOf(error)}`;
  }
}

/**
 * Returns the reason of a network error. `fetch` itself only reports "fetch failed" and keeps the reason in `cause`.
 */
export function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError") return "timed out";
  if (error instanceof Error && error.cause) return messageOf(error.cause);
  return messageOf(error);
}

async function readGoVersion(): Promise<string | undefined> {
  return (await readOutput("go", ["env", "GOVERSION"], { GOFLAGS: "" }))?.replace(/^go/, "");
}
