import { parseAllDocuments } from "yaml";
import { quote } from "../../common/quote";
import type { KubeadmDocument } from "../../render/kubeadm-types";
import { toYaml } from "../../render/kubeadm-documents";
import { inspectFiles, readContents, writeFiles, textFile } from "../host/files";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { keepKubeletAuthority, keepPlace } from "./kubelet-authority";
import { isElectionOffIn, keepLeaderElection } from "./leader-election";
import { COMPONENTS, type Component, type ManifestTexts, manifestPath, readManifestTexts } from "./manifest-texts";
import { keepSigningFile, SIGNING_CERTIFICATE } from "./signing-file";
import { keepRenewalMark } from "./renewal-mark";

/** kubeadm's configuration of a control plane, as it was last applied. */
export const CONFIG = "/etc/kubernetes/kubewright-cluster.yaml";
/** On the file system of the manifests, so that a rename places them. Only root may read it. */
const STAGING = "/etc/kubernetes/tmp/kubewright-manifests";
const STEP = "rendering the control plane's manifests";
const SECONDS = 60;

const stagedPath = (component: Component) => `${STAGING}/${component}.yaml`;

/**
 * Returns the documents as they apply to this control plane, whose leader election stays on, and whose API server does
 * not verify kubelets before another resource lets it.
 */
export function effectiveDocuments(
  documents: readonly KubeadmDocument[],
  current: ManifestTexts,
  keepsKubeletAuthority = false,
): KubeadmDocument[] {
  const kept = keepsKubeletAuthority ? keepKubeletAuthority(documents, current.get("kube-apiserver")) : documents;
  return keepLeaderElection(kept, (component) => {
    const manifest = current.get(component === "scheduler" ? "kube-scheduler" : "kube-controller-manager");
    return manifest === undefined || isElectionOffIn(manifest);
  });
}

/** Writes kubeadm's configuration of this control plane, for users who log in to the machine. */
export async function writeConfig(
  machine: Remote,
  documents: readonly KubeadmDocument[],
  signal: AbortSignal,
): Promise<void> {
  await writeFiles(machine, [textFile(CONFIG, toYaml(documents), "0600")], STEP, signal);
}

/** Reads kubeadm's configuration as it was last applied to this control plane; undefined where it is not there. */
export async function readConfig(machine: Remote, signal: AbortSignal): Promise<KubeadmDocument[] | undefined> {
  const text = (await readContents(machine, [CONFIG], signal)).get(CONFIG);
  return text === undefined ? undefined : parseAllDocuments(text).map((document) => document.toJS() as KubeadmDocument);
}

/** Lets kubeadm render the manifests in a folder beside those that run, and returns their texts. Nothing restarts. */
export async function renderManifests(
  { signal, status }: Pick<Context, "signal" | "status">,
  machine: Remote,
  { documents, current }: { documents: readonly KubeadmDocument[]; current: ManifestTexts },
): Promise<ManifestTexts> {
  status(STEP);
  const action = "correct the flags of the control plane in the configuration, then run again";
  await machine.run(RENDER, { step: STEP, signal, timeout: SECONDS, stdin: toYaml(documents), action });
  const [rendered, files] = await Promise.all([
    readManifestTexts(machine, signal, stagedPath),
    inspectFiles(machine, [SIGNING_CERTIFICATE], signal),
  ]);
  await machine.run(`rm -rf ${STAGING}`, { step: STEP, signal });
  const kept = [...rendered].map(([component, text]): [Component, string] => {
    const marked = keepStartupTime(keepRenewalMark(text, current.get(component)), current.get(component));
    const own = KEPT[component]?.(marked, current.get(component)) ?? marked;
    return [component, keepSigningFile(own, files.has(SIGNING_CERTIFICATE))];
  });
  return new Map(kept);
}

const KEPT: Partial<Record<Component, (rendered: string, current?: string) => string>> = {
  etcd: keepMembers,
  "kube-apiserver": keepPlace,
};

const RENDER = `set -e
rm -rf ${STAGING}
mkdir -p -m 700 ${STAGING}
(umask 077; cat > ${STAGING}/kubeadm.conf)
export KUBEADM_INIT_DRYRUN_DIR=${STAGING}
kubeadm init phase control-plane all --dry-run --config ${STAGING}/kubeadm.conf 2>&1
kubeadm init phase etcd local --dry-run --config ${STAGING}/kubeadm.conf 2>&1`;

/** Returns the components whose manifests differ. */
export function changedManifests(before: ManifestTexts, after: ManifestTexts): Component[] {
  return COMPONENTS.filter((component) => after.has(component) && before.get(component) !== after.get(component));
}

/**
 * Places manifests, each by one rename. The kubelet reads every visible file of its folder, so they arrive in another
 * folder first.
 */
export async function placeManifests(
  machine: Remote,
  manifests: ManifestTexts,
  components: readonly Component[],
  signal: AbortSignal,
): Promise<void> {
  const step = "writing the control plane's manifests";
  const files = components.map((component) => textFile(stagedPath(component), manifests.get(component) ?? "", "0600"));
  await writeFiles(machine, files, step, signal);
  const moves = components.map((one) => `mv -fT ${quote(stagedPath(one))} ${quote(manifestPath(one))}`);
  await machine.run(["set -e", ...moves, `rm -rf ${STAGING}`].join("\n"), { step, signal });
}

const MEMBERS = /^ *- --initial-cluster(-state)?=.*\n/gm;

/**
 * Returns etcd's manifest with the member list of the current one. etcd reads it at its first start only, and kubeadm
 * writes another one for a control plane that has joined: the difference alone must not restart etcd.
 */
function keepMembers(rendered: string, current = ""): string {
  const members = current.match(MEMBERS);
  if (!members) return rendered;
  let isFirst = true;
  return rendered.replace(MEMBERS, () => {
    const text = isFirst ? members.join("") : "";
    isFirst = false;
    return text;
  });
}

const STARTUP_TIME = /^ *startupProbe:\n *failureThreshold: \d+$/m;

/**
 * Returns a manifest with the time to start of the current one. `timeouts.patience` prolongs it when kubeadm creates
 * the control plane, and not here: the difference alone must not restart a component.
 */
function keepStartupTime(rendered: string, current = ""): string {
  const time = STARTUP_TIME.exec(current)?.[0];
  return time === undefined ? rendered : rendered.replace(STARTUP_TIME, () => time);
}
