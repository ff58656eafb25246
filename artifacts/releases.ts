import { StepError } from "../common/errors";
import { chooseVersion, isPatchOfListed } from "../common/listed-versions";
import { downloadText } from "./download";
import { kubeadmDownload } from "./kubeadm-images";
import { sourceUrl, type Remote } from "./official";
import type { SourceChoice } from "./source";
import type { Versions } from "./versions";

/** Why a version of Kubernetes cannot be installed, and what the user can do about it. */
export interface ReleaseProblem {
  reason: string;
  action: string;
}

/** Versions of Kubernetes in versions.yaml: those that can be built from modules. */
export function listedVersions(versions: Versions): string[] {
  return Object.keys(versions.kubernetes.supported);
}

export function isListed(versions: Versions, kubernetes: string): boolean {
  return versions.kubernetes.supported[kubernetes] !== undefined;
}

/** Returns why no source can have this version: Kubewright does not support its minor version. */
export function findMinorProblem(versions: Versions, kubernetes: string): ReleaseProblem | undefined {
  const listed = listedVersions(versions);
  if (isPatchOfListed(kubernetes, listed)) return undefined;
  return { reason: `Kubewright cannot install version ${kubernetes}`, action: chooseVersion(listed) };
}

/**
 * Returns why the source does not have this version; undefined if it does. Only for a version that versions.yaml does
 * not list, the source is asked: it must serve the published checksum of its kubeadm.
 */
export async function findSourceProblem(
  versions: Versions,
  kubernetes: string,
  { source, reason }: SourceChoice,
  signal: AbortSignal,
): Promise<ReleaseProblem | undefined> {
  if (isListed(versions, kubernetes)) return undefined;
  const listed = listedVersions(versions).join(", ");
  const unlisted = `versions.yaml does not list Kubernetes ${kubernetes}`;
  if (source.kind === "modules")
    return {
      reason: `${unlisted}, and only listed versions can be built from Go modules (${reason})`,
      action: `use one of ${listed}, or set \`source\` to \`official\` or to a mirror that this computer can reach`,
    };
  if (process.platform !== "linux")
    return {
      reason: `${unlisted}, and its kubeadm, which lists the images that it needs, runs on Linux only`,
      action: `use one of ${listed}, or run on Linux`,
    };
  return await findMissingDownload(versions, kubernetes, source, signal);
}

async function findMissingDownload(
  versions: Versions,
  kubernetes: string,
  source: Remote,
  signal: AbortSignal,
): Promise<ReleaseProblem | undefined> {
  const action =
    `use a patch release that was published, or one of ${listedVersions(versions).join(", ")}, ` +
    "and check the connection to the source";
  try {
    const url = sourceUrl(source, kubeadmDownload({ versions, kubernetes }).checksum);
    await downloadText(url, { signal, action });
    return undefined;
  } catch (error) {
    if (!(error instanceof StepError)) throw error;
    const { step, cause } = error.failure;
    return { reason: `Kubernetes ${kubernetes} cannot be downloaded: ${step}: ${cause}`, action };
  }
}

/**
 * @param step what needs the version, for the error
 * @throws StepError with the problem, if there is one
 */
export function assertInstallable(
  kubernetes: string,
  problem: ReleaseProblem | undefined,
  step = `choose Kubernetes ${kubernetes}`,
): void {
  if (!problem) return;
  throw new StepError({ step, cause: problem.reason, action: problem.action });
}
