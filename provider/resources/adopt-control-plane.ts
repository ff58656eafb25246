import { StepError } from "../../common/errors";
import { optional } from "../../common/optional";
import type { Inputs } from "../../contracts/contract";
import type { controlPlaneContract } from "../../contracts/kubeadm/control-plane";
import type { KubeadmDocument } from "../../render/kubeadm-types";
import { changesBetween } from "../rpc/diff";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import {
  findImpossibleChanges,
  findImpossibleUpgrade,
  findLostEncryption,
  findLostVerification,
  versionOf,
} from "../kubeadm/impossible-changes";
import { verifiesKubelets, withoutKubeletFlag } from "../kubeadm/kubelet-authority";
import type { ManifestTexts } from "../kubeadm/manifest-texts";
import { effectiveDocuments, readConfig } from "../kubeadm/manifests";
import { versionInManifests } from "../kubeadm/prepare-upgrade";

type ControlPlaneInputs = Inputs<typeof controlPlaneContract>;

/** Paths in a warning; the others are counted. */
const MOST_PATHS = 6;

/**
 * Compares a running control plane with its configuration, and warns of what differs. Changes nothing.
 * @returns whether they are the same
 * @throws StepError for a difference that no update of the cluster may make
 */
export async function compareControlPlane(
  context: Context,
  machine: Remote,
  inputs: ControlPlaneInputs,
  manifests: ManifestTexts,
): Promise<boolean> {
  assertSameVersion(machine, manifests, versionOf(inputs.documents));
  const applied = await readConfig(machine, context.signal);
  if (applied === undefined) {
    context.warn(`${machine.label}: its last configuration is not recorded on it: the next run applies it again`);
    return false;
  }
  assertPossible(machine, inputs, { ...before(inputs, manifests), documents: applied });
  // `kubeadm:KubeletAuthority` sets its flag after the documents were recorded.
  const configured = withoutKubeletFlag(effectiveDocuments(inputs.documents, manifests));
  const paths = differingPaths(withoutKubeletFlag(applied), configured);
  if (paths.length === 0) return true;
  const more = paths.length > MOST_PATHS ? ` and ${paths.length - MOST_PATHS} more` : "";
  const shown = paths.slice(0, MOST_PATHS).join(", ");
  context.warn(`${machine.label}: the control plane differs from the configuration in ${shown}${more}`);
  return false;
}

/** An upgrade is a step of its own, with checks and a plan. */
function assertSameVersion(machine: Remote, manifests: ManifestTexts, configured: string | undefined): void {
  if (!manifests.has("kube-apiserver")) {
    const action = "remove it from the control planes of the configuration, or repair it first";
    throw refusal(machine, "it runs no API server of kubeadm", action);
  }
  const running = versionInManifests(manifests);
  if (running === configured || running === undefined || configured === undefined) return;
  const cause = `it runs Kubernetes ${running}, and the configuration has ${configured}`;
  throw refusal(machine, cause, `set kubernetes.version to ${running}, adopt the cluster, and upgrade it afterwards`);
}

/** Returns the inputs that have led to the manifests, as far as these show it. */
function before({ kubeletCertificates, ...inputs }: ControlPlaneInputs, manifests: ManifestTexts): ControlPlaneInputs {
  const isVerified = verifiesKubelets(manifests.get("kube-apiserver") ?? "");
  return { ...inputs, ...optional({ kubeletCertificates: isVerified ? "verified" : kubeletCertificates }) };
}

function assertPossible(machine: Remote, inputs: ControlPlaneInputs, old: ControlPlaneInputs): void {
  const problems = [
    ...findImpossibleChanges(inputs, old),
    ...findImpossibleUpgrade(inputs, old),
    ...findLostEncryption(inputs, old),
    ...findLostVerification(inputs, old),
  ];
  if (problems.length === 0) return;
  const cause = problems.map(({ path, reason }) => `${path} ${reason}`).join("; ");
  throw refusal(machine, cause, "set these properties in the configuration to what the cluster has");
}

function refusal(machine: Remote, cause: string, action: string): StepError {
  return new StepError({ step: "adopting the control plane", machine: machine.label, cause, action });
}

/** Returns paths such as `ClusterConfiguration.apiServer.extraArgs[0].value`. */
function differingPaths(applied: readonly KubeadmDocument[], configured: readonly KubeadmDocument[]): string[] {
  const byKind = (documents: readonly KubeadmDocument[]) =>
    Object.fromEntries(documents.map((document) => [document.kind, document]));
  return changesBetween(byKind(applied), byKind(configured)).map(({ path }) => path);
}
