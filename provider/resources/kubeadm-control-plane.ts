import { optional } from "../../common/optional";
import type { Inputs, Outputs } from "../../contracts/contract";
import { controlPlaneContract } from "../../contracts/kubeadm/control-plane";
import { sha256 } from "../host/files";
import { MACHINE_IGNORE, MACHINE_REPLACE_ON, readMachine, requireMachine } from "../host/on-machine";
import {
  changedManifests,
  effectiveDocuments,
  placeManifests,
  renderManifests,
  writeConfig,
} from "../kubeadm/manifests";
import { compareControlPlane } from "./adopt-control-plane";
import { withoutTraffic } from "../kubeadm/api-traffic";
import { applyManifests } from "../kubeadm/apply-manifests";
import { describeEnd, warnOfExpiry } from "../kubeadm/certificate-expiry";
import { type MachineCertificate, readCertificates } from "../kubeadm/certificates";
import {
  findImpossibleUpgrade,
  findLostEncryption,
  findLostVerification,
  versionOf,
} from "../kubeadm/impossible-changes";
import { findMovedControlPlane } from "../kubeadm/moved-node";
import { withoutKubeletAuthority } from "../kubeadm/kubelet-authority";
import { assertEtcdReadable } from "../kubeadm/etcd-data";
import { isUpgradeUnfinished, upgradeClusterObjects } from "../kubeadm/finish-upgrade";
import { emulatedInManifests, prepareUpgrade, versionInManifests } from "../kubeadm/prepare-upgrade";
import { handOverLeadership, isEtcdMember } from "../kubeadm/etcd-member";
import {
  COMPONENTS,
  type Component,
  type ManifestTexts,
  manifestPath,
  readManifestTexts,
} from "../kubeadm/manifest-texts";
import { dueCertificates, nextRenewal, renewDueCertificates } from "../kubeadm/renew-certificates";
import { withoutRenewalMark } from "../kubeadm/renewal-mark";
import { ensureServingCertificate, missingNames } from "../kubeadm/serving-certificate";
import { RENEW_AFTER } from "../preview/notices";
import { register, type Adopted, type Context, type Handler } from "../rpc/handler";
import { withDefaultSigning } from "../kubeadm/signing-file";
import type { Remote } from "../ssh/remote";

type ControlPlaneInputs = Inputs<typeof controlPlaneContract>;
type ControlPlaneOutputs = Outputs<typeof controlPlaneContract>;

/**
 * Brings certificate and static pods to the configuration. Only components whose manifests differ restart.
 * @param prove Components that are proved healthy even if they do not change: an interrupted run may have changed them.
 */
async function apply(
  context: Context,
  inputs: ControlPlaneInputs,
  prove: readonly Component[] = [],
): Promise<ControlPlaneOutputs> {
  const machine = await requireMachine(context, inputs);
  await renewDueCertificates(context, machine, inputs);
  const before = await readManifestTexts(machine, context.signal);
  const documents = effectiveDocuments(inputs.documents, before, isVerified(inputs));
  const version = versionOf(documents) ?? "";
  const isUpgrade = await beginUpgrade(context, machine, { inputs, before, version });
  await ensureServingCertificate(context, machine, documents);
  const after = await renderManifests(context, machine, { documents, current: before });
  const changed = changedManifests(before, after);
  if (changed.includes("etcd")) await assertEtcdReadable(machine, { from: before, to: after }, context.signal);
  const components = COMPONENTS.filter((name) => changed.includes(name) || prove.includes(name));
  await restartComponents(context, machine, { node: inputs.node, components, changed, after });
  if (isUpgrade) await upgradeClusterObjects(context, machine, version);
  await writeConfig(machine, documents, context.signal);
  const renewAfter = nextRenewal(await readCertificates(machine, context.signal));
  return { manifests: hashesOf(after, inputs), ...optional({ renewAfter }) };
}

/**
 * Checks and prepares an upgrade, before anything changes.
 * @returns whether the control plane gets another version, or an interrupted upgrade to this version continues
 */
async function beginUpgrade(
  context: Context,
  machine: Remote,
  { inputs, before, version }: { inputs: ControlPlaneInputs; before: ManifestTexts; version: string },
): Promise<boolean> {
  const from = versionInManifests(before);
  if (from === undefined || version === "") return false;
  if (from === version) return await isUpgradeUnfinished(machine, version, context.signal);
  await prepareUpgrade(context, machine, {
    from,
    to: version,
    emulated: emulatedInManifests(before),
    connection: inputs.connection,
  });
  return true;
}

interface ComponentChange {
  node: string;
  /** Components that are proved healthy. */
  components: readonly Component[];
  /** Those of them whose manifests differ. */
  changed: readonly Component[];
  after: ManifestTexts;
}

/** The clients of the API server exit while it is away, so they restart once it is healthy. */
const STAGES: readonly (readonly Component[])[] = [
  ["etcd"],
  ["kube-apiserver"],
  ["kube-controller-manager", "kube-scheduler"],
];

/** Restarts of these interrupt clients of the API server. */
const SERVING: readonly Component[] = ["etcd", "kube-apiserver"];

/** Restarts the components by stage. Each stage is proved healthy, or the previous manifests are restored. */
async function restartComponents(context: Context, machine: Remote, change: ComponentChange): Promise<void> {
  const { node, components, changed } = change;
  const restart = async () => {
    const stages = STAGES.map((stage) => components.filter((name) => stage.includes(name)))
      .filter(({ length }) => length > 0)
      .map((stage) => ({ components: stage, write: () => writeStage(context, machine, change, stage) }));
    if (stages.length > 0) await applyManifests(context, machine, { node, stages });
  };
  if (!changed.some((name) => SERVING.includes(name))) return await restart();
  await withoutTraffic(context, machine, node, restart);
}

async function writeStage(
  context: Context,
  machine: Remote,
  { changed, after }: ComponentChange,
  stage: readonly Component[],
): Promise<void> {
  const restarting = stage.filter((name) => changed.includes(name));
  if (restarting.length === 0) return;
  if (restarting.includes("etcd")) await handOverLeadership(machine, context);
  context.status(`restarting ${restarting.join(", ")}`);
  await placeManifests(machine, after, restarting, context.signal);
}

/**
 * Marks of renewed certificates, and the signing file of a rotation of CAs, come and go without a change here.
 * `kubeadm:KubeletAuthority` adds a flag to the API server's manifest, and reports a difference itself.
 */
function hashesOf(texts: ManifestTexts, inputs: ControlPlaneInputs): Record<string, string> {
  const own = (text: string) => (isVerified(inputs) ? withoutKubeletAuthority(text) : text);
  return Object.fromEntries(
    [...texts].map(([component, text]) => [component, sha256(own(withDefaultSigning(withoutRenewalMark(text))))]),
  );
}

function isVerified({ kubeletCertificates }: Pick<ControlPlaneInputs, "kubeletCertificates">): boolean {
  return kubeletCertificates === "verified";
}

interface ReadState {
  inputs: ControlPlaneInputs;
  outputs: ControlPlaneOutputs;
  certificates: readonly MachineCertificate[];
}

/** Returns what differs from the configuration, separated by semicolons; undefined if nothing does. */
async function findProblem(
  context: Context,
  machine: Remote,
  { inputs, outputs, certificates }: ReadState,
): Promise<string | undefined> {
  const { signal } = context;
  const [texts, names, member] = await Promise.all([
    readManifestTexts(machine, signal),
    missingNames(machine, inputs.documents, signal),
    isEtcdMember(machine, inputs.node, signal),
  ]);
  const due = dueCertificates(certificates);
  const problems = [
    ...(due.length > 0 ? [describeEnd(due)] : []),
    ...manifestProblems(outputs.manifests ?? {}, texts, hashesOf(texts, inputs)),
    ...(names.length > 0 ? [`the API server's certificate lacks ${names.join(", ")}`] : []),
    ...(member === false ? [`${inputs.node} is not a member of etcd`] : []),
  ];
  return problems.length > 0 ? problems.join("; ") : undefined;
}

/** States of older versions have the hashes of the whole texts. */
function manifestProblems(
  recorded: Record<string, string>,
  texts: ManifestTexts,
  current: Record<string, string>,
): string[] {
  return Object.entries(recorded).flatMap(([component, hash]) => {
    const text = texts.get(component as Component);
    if (current[component] === hash || (text !== undefined && sha256(text) === hash)) return [];
    const path = manifestPath(component as Component);
    return [text === undefined ? `${path} is missing` : `${path} was changed`];
  });
}

const idOf = ({ instance }: ControlPlaneInputs) => `${instance}/control-plane`;

/** Records the static pods that run. Where they differ from the configuration, the next update applies it. */
async function adopt(context: Context, inputs: ControlPlaneInputs): Promise<Adopted<ControlPlaneOutputs>> {
  const machine = context.connections.get(inputs.connection);
  const [texts, certificates] = await Promise.all([
    readManifestTexts(machine, context.signal),
    readCertificates(machine, context.signal),
  ]);
  const isSame = await compareControlPlane(context, machine, inputs, texts);
  const outputs = { manifests: hashesOf(texts, inputs), ...optional({ renewAfter: nextRenewal(certificates) }) };
  return { id: idOf(inputs), outputs, isUnfinished: !isSame };
}

/** A control plane of a kubeadm cluster: version and flags of its static pods, and its certificates. */
const controlPlane: Handler<typeof controlPlaneContract> = {
  contract: controlPlaneContract,
  replaceOn: [...MACHINE_REPLACE_ON, "node"],
  ignore: MACHINE_IGNORE,
  findImpossibleChanges: (inputs, old) => [
    ...findImpossibleUpgrade(inputs, old),
    ...findLostEncryption(inputs, old),
    ...findLostVerification(inputs, old),
    ...findMovedControlPlane(inputs, old),
  ],
  async create(context, inputs) {
    return { id: idOf(inputs), outputs: await apply(context, inputs) };
  },
  adopt,
  async update(context, _id, inputs) {
    return await apply(context, inputs, COMPONENTS);
  },
  // Without a refresh, the recorded time tells that certificates must be renewed.
  extraChanges: async (_inputs, { outputs }, { clock }) =>
    outputs.renewAfter !== undefined && Date.parse(outputs.renewAfter) <= clock.now() ? [RENEW_AFTER] : [],
  read: (context, _id, old) =>
    readMachine(context, old, async (machine) => {
      const { problem: _, ...inputs } = old.inputs;
      const certificates = await readCertificates(machine, context.signal);
      const problem = await findProblem(context, machine, { inputs, outputs: old.outputs, certificates });
      const due = dueCertificates(certificates);
      warnOfExpiry(
        context,
        certificates.filter((certificate) => !due.includes(certificate)),
      );
      const outputs = { ...old.outputs, ...optional({ renewAfter: nextRenewal(certificates) }) };
      return { inputs: problem === undefined ? inputs : { ...inputs, problem }, outputs };
    }),
};

export const controlPlaneResource = register(controlPlane);
