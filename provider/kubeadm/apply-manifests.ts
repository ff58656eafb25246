import { optional } from "../../common/optional";
import { describeChangedFiles } from "../host/changed-lines";
import { expectAnotherPod, parsePodManifest, proveStaticPod } from "../host/prove-static-pod";
import { putBack } from "../host/put-back";
import { NO_PODS, type PodState, currentUids, killContainers, readPodState } from "../host/static-pods";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { describeEtcdChange, isDataChanged, lostEtcdError } from "./etcd-data";
import { dropKeptFiles, keepFiles, readKeptFiles, restoreKeptFiles } from "./kept-files";
import {
  COMPONENTS,
  type Component,
  type ManifestTexts,
  manifestPath,
  readManifestTexts,
  textsByComponent,
} from "./manifest-texts";
import { waitForNodeAfterOutage } from "./node-after-outage";

export interface ManifestStage {
  /** Components whose manifests change, in the order in which they are proved healthy. */
  components: readonly Component[];
  /** Writes the manifests. */
  write: () => Promise<void>;
  /** Proves more than the health of the components. */
  prove?: () => Promise<void>;
}

export interface ManifestChange {
  /** Name of the control plane's node. */
  node: string;
  /** Files besides the manifests that the change may replace. They are restored with the manifests. */
  files?: readonly string[];
  /** The next stage is written once the components of the one before are healthy. */
  stages: readonly ManifestStage[];
  /** The user's next action when the previous files were restored. @default correct the configuration */
  action?: string;
}

/** What the kubelet is to run, and what it runs. */
interface ControlPlaneState {
  manifests: ManifestTexts;
  pods: ReadonlyMap<Component, PodState>;
}

/**
 * Changes the static pods of a control plane, and proves that the new ones are healthy. Otherwise the previous files
 * are restored and proved healthy, and the change is withdrawn from the state. Needs no API: it may be what fails.
 * @throws StepError with the component's last errors and the changed lines
 */
export async function applyManifests(context: Context, machine: Remote, change: ManifestChange): Promise<void> {
  const { signal } = context;
  const files = filesOf(change);
  await keepFiles(machine, files, signal);
  const before = await readControlPlane(machine, change.node, signal);
  try {
    for (const { components, write, prove } of change.stages) {
      await write();
      await proveComponents(context, machine, { node: change.node, components, before });
      await prove?.();
    }
  } catch (error) {
    // The copies stay: the next run continues, and restores them if it fails.
    if (signal.aborted) throw error;
    throw (await restore(context, machine, { change, before, error })) ?? error;
  }
  await dropKeptFiles(machine, signal);
}

function filesOf({ files = [] }: ManifestChange): string[] {
  return [...COMPONENTS.map(manifestPath), ...files];
}

async function readControlPlane(machine: Remote, node: string, signal: AbortSignal): Promise<ControlPlaneState> {
  const [manifests, ...pods] = await Promise.all([
    readManifestTexts(machine, signal),
    ...COMPONENTS.map(async (name) => [name, await readPodState(machine, `${name}-${node}`, signal)] as const),
  ]);
  return { manifests, pods: new Map(pods) };
}

interface Proof {
  node: string;
  components: readonly Component[];
  before: ControlPlaneState;
}

/** Proves components healthy. Those whose manifest has changed must run in another pod than before. */
async function proveComponents(context: Context, machine: Remote, proof: Proof): Promise<void> {
  const { node, components, before } = proof;
  const manifests = await readManifestTexts(machine, context.signal);
  for (const name of components) {
    const manifest = manifests.get(name);
    if (manifest === undefined) continue;
    const podsBefore = before.pods.get(name) ?? NO_PODS;
    const isChanged = manifest !== before.manifests.get(name);
    await proveStaticPod(context, machine, {
      name,
      pod: `${name}-${node}`,
      ...parsePodManifest(manifest),
      // Exits that a component before this one has caused do not count.
      before: isChanged ? podsBefore : await readPodState(machine, `${name}-${node}`, context.signal),
      isExpected: isChanged ? expectAnotherPod(podsBefore) : () => true,
      onceStopped: name === "etcd" && isChanged ? () => restartApiServer(context, machine, before) : undefined,
    });
  }
}

/**
 * Kills the API server whose etcd has stopped. Before the kubelet starts a changed static pod, it deletes the pod's
 * object (tryReconcileMirrorPods in pkg/kubelet/kubelet.go). An API server without etcd answers this request only after
 * more than half a minute; one that does not listen refuses it, and the new etcd starts at the same time as it.
 */
async function restartApiServer(
  { signal }: Context,
  machine: Remote,
  { pods }: Pick<ControlPlaneState, "pods">,
): Promise<void> {
  await killContainers(machine, pods.get("kube-apiserver") ?? NO_PODS, signal);
}

interface FailedManifests {
  change: ManifestChange;
  before: ControlPlaneState;
  error: unknown;
}

/** @returns the error to report; undefined if nothing has changed or the previous files do not work either */
async function restore(
  context: Context,
  machine: Remote,
  { change, before, error }: FailedManifests,
): Promise<Error | undefined> {
  const { signal } = context;
  const failed = await readControlPlane(machine, change.node, signal);
  const kept = textsByComponent(await readKeptFiles(machine, COMPONENTS.map(manifestPath), signal));
  const unreadable = describeEtcdChange({ from: failed.manifests, to: kept });
  const staysNew = unreadable !== undefined && (await isDataChanged(machine, failed.manifests, signal));
  const restored = COMPONENTS.filter((name) => name !== "etcd" || !staysNew);
  const changed = restored.filter((name) => failed.manifests.get(name) !== kept.get(name));
  const isLost = unreadable !== undefined ? lostEtcdError(machine, error, unreadable) : undefined;
  if (changed.length === 0 && change.files === undefined) return isLost;
  const putBackError = await putBack(context, machine, {
    name: changed.join(" and ") || "the control plane",
    error,
    ...optional({ action: staysNew ? keptEtcdAction(unreadable) : change.action }),
    changes: describeChangedFiles(textFilesOf(kept, changed), textFilesOf(failed.manifests, changed)),
    restore: async () => {
      const files = filesOf(change).filter((path) => !staysNew || path !== manifestPath("etcd"));
      await restoreKeptFiles(machine, files, signal);
      await proveRestored(context, machine, { node: change.node, before, failed });
      await dropKeptFiles(machine, signal);
    },
    settle: () => waitForNodeAfterOutage(context, machine),
  });
  return putBackError ?? isLost;
}

/** The API server is compatible with a newer etcd. */
function keptEtcdAction(unreadable: string): string {
  return (
    `fix the cause, then run \`pulumi up\` again; do not set \`kubernetes.version\` back, because etcd keeps its new ` +
    `version: ${unreadable}`
  );
}

/** Manifests contain no secrets, so that their changed lines may be shown. */
function textFilesOf(
  manifests: ManifestTexts,
  components: readonly Component[],
): Record<string, { content: string; mode: string }> {
  const shown = [...manifests].filter(([name]) => components.includes(name));
  return Object.fromEntries(shown.map(([name, content]) => [manifestPath(name), { content, mode: "0644" }]));
}

/** Proves all components healthy in other pods than those that failed. */
async function proveRestored(
  context: Context,
  machine: Remote,
  { node, before, failed }: { node: string; before: ControlPlaneState; failed: ControlPlaneState },
): Promise<void> {
  const manifests = await readManifestTexts(machine, context.signal);
  const isEtcdRestored = manifests.get("etcd") !== failed.manifests.get("etcd");
  for (const [name, manifest] of manifests) {
    const wanted = currentUids(before.pods.get(name) ?? NO_PODS);
    const unwanted = currentUids(failed.pods.get(name) ?? NO_PODS);
    await proveStaticPod(context, machine, {
      name,
      pod: `${name}-${node}`,
      ...parsePodManifest(manifest),
      before: await readPodState(machine, `${name}-${node}`, context.signal),
      // An etcd that keeps its new version keeps its pod.
      isExpected: (uid) => (name === "etcd" && !isEtcdRestored) || wanted.has(uid) || !unwanted.has(uid),
      onceStopped: name === "etcd" && isEtcdRestored ? () => restartApiServer(context, machine, failed) : undefined,
    });
  }
}
