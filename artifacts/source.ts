import { coerce, gte } from "semver";
import { StepError, messageOf } from "../common/errors";
import { request } from "./http";
import { ask } from "./process";
import { loadVersions, type Versions } from "./versions";

export type Source = { kind: "official" } | { kind: "mirror"; url: string } | { kind: "modules" };

export interface Choice {
  source: Source;
  /** A sentence for the person: why this source. */
  reason: string;
}

/** How the choice looks at the world; tests bring their own. */
export interface Probes {
  /** Undefined when the address answers, else why it does not. */
  reach(url: string, signal: AbortSignal): Promise<string | undefined>;
  /** The Go toolchain's version, or undefined when there is none. */
  goVersion(): Promise<string | undefined>;
}

/** Seconds for all official hosts together: they are asked at the same time. */
const PROBE_TIMEOUT_S = 3;

/**
 * Turns the setting into a source. `auto` asks the official hosts, then looks for Go.
 * Throws a StepError when the setting means nothing, or when nothing can serve.
 */
export async function chooseSource(setting: string, signal: AbortSignal, probes: Probes = realProbes): Promise<Choice> {
  if (setting === "auto") return chooseForMyself(signal, probes);
  if (setting === "official")
    return { source: { kind: "official" }, reason: "the configuration asks for the official downloads" };
  if (setting === "modules") return askedForModules(probes);
  return {
    source: { kind: "mirror", url: mirrorUrl(setting) },
    reason: `the configuration names the mirror ${setting}`,
  };
}

/** The mirror's address without the last slash, or a StepError when it is none. */
export function mirrorUrl(setting: string): string {
  if (URL.canParse(setting) && /^https?:$/.test(new URL(setting).protocol)) return setting.replace(/\/+$/, "");
  throw new StepError({
    step: `choose the source "${setting}"`,
    cause: "it is neither auto, official, modules nor an http(s) address of a mirror",
    action: "correct the setting",
  });
}

async function chooseForMyself(signal: AbortSignal, probes: Probes): Promise<Choice> {
  const versions = loadVersions();
  const refusal = await firstRefusal(probeUrls(versions), signal, probes);
  if (!refusal) return { source: { kind: "official" }, reason: "the official download hosts answer" };
  const go = await probes.goVersion();
  if (isEnough(go, versions)) {
    return {
      source: { kind: "modules" },
      reason: `no official downloads (${refusal}), so they are built from Go modules with Go ${go}`,
    };
  }
  throw new StepError({
    step: "find a source of Kubernetes' binaries",
    cause: `the official downloads cannot be had (${refusal}), and ${describeGo(go)}`,
    action: `open the way to ${probeUrls(versions)
      .map((url) => new URL(url).host)
      .join(", ")}, or name a mirror as the source, or install Go ${versions.go.atLeast} or later`,
  });
}

async function askedForModules(probes: Probes): Promise<Choice> {
  const versions = loadVersions();
  const go = await probes.goVersion();
  if (isEnough(go, versions))
    return {
      source: { kind: "modules" },
      reason: `the configuration asks for builds from Go modules; Go ${go} is here`,
    };
  throw new StepError({
    step: "build from Go modules",
    cause: describeGo(go),
    action: `install Go ${versions.go.atLeast} or later and put it on PATH`,
  });
}

/** One address for each official host that binaries and images come from. */
export function probeUrls(versions: Versions): string[] {
  const binaries = `https://dl.k8s.io/v${versions.kubernetes.default}/bin/linux/amd64/kubelet.sha256`;
  const releases = `https://github.com/opencontainers/runc/releases/download/v${versions.components.runc.version}/runc.sha256sum`;
  return [binaries, releases, "https://registry.k8s.io/v2/", "https://ghcr.io/v2/"];
}

async function firstRefusal(urls: string[], signal: AbortSignal, probes: Probes): Promise<string | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(PROBE_TIMEOUT_S * 1000)]);
  const answers = await Promise.all(urls.map((url) => probes.reach(url, limit)));
  signal.throwIfAborted();
  return answers.find((answer) => answer !== undefined);
}

function isEnough(go: string | undefined, versions: Versions): boolean {
  const found = coerce(go);
  return found !== null && gte(found, versions.go.atLeast);
}

function describeGo(go: string | undefined): string {
  return go ? `Go here is only ${go}` : "there is no Go toolchain on PATH";
}

export const realProbes: Probes = { reach, goVersion };

async function reach(url: string, signal: AbortSignal): Promise<string | undefined> {
  const host = new URL(url).host;
  try {
    const { status } = await request(url, { method: "HEAD", signal });
    // A registry asks who we are before anything else: that is an answer, too.
    return status < 400 || status === 401 ? undefined : `${host} answers ${status}`;
  } catch (error) {
    return `${host}: ${reasonOf(error)}`;
  }
}

/** Node's fetch says only "fetch failed"; the cause underneath is what a person needs. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError") return "no answer in time";
  if (error instanceof Error && error.cause) return messageOf(error.cause);
  return messageOf(error);
}

async function goVersion(): Promise<string | undefined> {
  return (await ask("go", ["env", "GOVERSION"], { GOFLAGS: "" }))?.replace(/^go/, "");
}
