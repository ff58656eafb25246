import { StepError } from "../../common/errors";
import type { Inputs, Outputs } from "../../contracts/contract";
import { kubeadmInitContract } from "../../contracts/kubeadm/init";
import type { InitConfiguration, KubeadmDocument } from "../../render/kubeadm-types";
import { toYaml, withBootstrapToken, withRestoredData, withoutPreflight } from "../../render/kubeadm-documents";
import { finishRestore } from "../backup/finish-restore";
import { findSurvivor } from "../backup/survivor";
import { bringBackup } from "../backup/bring-backup";
import { readRecord } from "../backup/restore-record";
import { MACHINE_IGNORE, MACHINE_REPLACE_ON, readMachine, findMachine, requireMachine } from "../host/on-machine";
import { ADMIN_CONF } from "../kube/clients";
import { retryRequest } from "../kube/retry";
import {
  findImpossibleChanges,
  hasOtherControlPlanes,
  hasOtherNodes,
  isClusterProtected,
} from "../kubeadm/impossible-changes";
import { lossWarning, newClusterError, replacedMachineError } from "../kubeadm/lost-cluster";
import { isOfCluster, readMembership } from "../kubeadm/membership";
import { resetNode } from "../kubeadm/reset";
import { readProgress, runKubeadm } from "../kubeadm/run";
import { withPatience } from "../kubeadm/timeouts";
import { generateToken, revokeToken } from "../kube/bootstrap-token";
import { caCertHash } from "../pki/ca-cert-hash";
import { register, type Context, type Handler, type Recorded } from "../rpc/handler";
import { machineName } from "../ssh/connection";
import type { Remote } from "../ssh/remote";

type InitInputs = Inputs<typeof kubeadmInitContract>;
type InitOutputs = Outputs<typeof kubeadmInitContract>;
type RecordedInit = Recorded<InitInputs, InitOutputs>;

async function init(
  context: Context,
  machine: Remote,
  { documents: all, connection, timeout }: Pick<InitInputs, "documents" | "connection" | "timeout">,
): Promise<void> {
  const progress = await readProgress(machine, "init", ADMIN_CONF, context.signal);
  if (progress === "done") return;
  // kubeadm requires a token. It is not used, because every node gets its own.
  const token = generateToken();
  // Leftovers of an interrupted init belong to this cluster: its certificates are reused, its manifests rewritten.
  const resumed = progress === "started" ? withoutPreflight(all) : all;
  const documents = resumed.map((document) => scaleTimeouts(document, machine.patience));
  context.status("kubeadm init");
  await runKubeadm(context, machine, {
    verb: "init",
    flags: ["--skip-token-print", "--skip-certificate-key-print"],
    config: toYaml(withBootstrapToken(documents, { token, ttl: "15m0s" })),
    timeout,
    action: "fix the cause, then run the command again, which continues from here",
  });
  context.kube.forget();
  const api = await context.kube.api([connection], context.signal);
  await retryRequest(api, "revoking kubeadm's own token", context.signal, () => revokeToken(api, token));
}

/**
 * Creates the cluster, from a backup where the configuration names one. A restore that was interrupted continues, also
 * without the name of the backup.
 * @param known outputs of the lost cluster
 */
async function createCluster(
  context: Context,
  machine: Remote,
  inputs: InitInputs,
  known: Partial<InitOutputs> = {},
): Promise<InitOutputs> {
  const record = await readRecord(machine, context.signal);
  const { restoreFrom, documents } = inputs;
  const restored = await bringBackup(context, machine, {
    ...{ restoreFrom, documents, record },
    caCertHash: known.caCertHash,
  });
  if (!restored) {
    await init(context, machine, inputs);
    return await readOutputs(context, inputs);
  }
  await init(context, machine, { ...inputs, documents: withRestoredData(documents) });
  await finishRestore(context, machine, { record: restored, node: nodeNameOf(inputs) });
  // After a rotation of CAs, the backup has another CA than the one with which the state knows the cluster.
  const { caCertHash: hash = (await readOutputs(context, inputs)).caCertHash } = known;
  return { caCertHash: hash, restoredFrom: restored.id };
}

const idOf = ({ instance }: InitInputs) => `${instance}/kubeadm-init`;

function nodeNameOf({ documents, connection }: InitInputs): string {
  const document = documents.find(({ kind }) => kind === "InitConfiguration") as InitConfiguration | undefined;
  return document?.nodeRegistration.name ?? machineName(connection);
}

async function readOutputs(context: Context, inputs: InitInputs): Promise<InitOutputs> {
  const { caCertificate } = await context.kube.api([inputs.connection], context.signal);
  return { caCertHash: caCertHash(caCertificate) };
}

/** Scales the timeouts of the init document, the only one that has timeouts. */
function scaleTimeouts(document: KubeadmDocument, patience: number): KubeadmDocument {
  return document.kind === "InitConfiguration" ? withPatience(document, patience) : document;
}

/**
 * Returns the recorded cluster where its machine no longer has it, but other nodes exist: the machine of one of several
 * control planes joins again, and that of a single one is refused by the next update.
 */
function keepCluster(context: Context, old: RecordedInit): RecordedInit | undefined {
  const { inputs, outputs } = old;
  if (!isInitialized(outputs) || !hasOtherNodes(inputs, inputs)) return undefined;
  if (!hasOtherControlPlanes(inputs, inputs))
    context.warn(lossWarning(context.connections.get(inputs.connection), inputs.nodes ?? []));
  return old;
}

function isInitialized({ caCertHash: hash }: Partial<InitOutputs>): boolean {
  return hash !== undefined;
}

/**
 * The beginning of a cluster: `kubeadm init`, once. The cluster outlives the machine: while it has other control
 * planes, this resource stays as it is when the machine is rebuilt or leaves, and KubeadmJoin makes a machine a member.
 * With a single control plane, its replacement and a second `kubeadm init` are refused while there are workers, which
 * both would reset.
 */
const kubeadmInit: Handler<typeof kubeadmInitContract> = {
  contract: kubeadmInitContract,
  replaceOn: MACHINE_REPLACE_ON,
  // `kubeadm init` reads the documents once. A change of them reaches all control planes through ControlPlane.
  ignore: [...MACHINE_IGNORE, "timeout", "controlPlanes", "nodes", "documents", "restoreFrom"],
  findImpossibleChanges,
  // The engine compares the recorded inputs, which do not name the backup: the settings do.
  isProtected: (inputs, old, { settings }) =>
    (inputs.restoreFrom ?? settings.restoreFrom) !== undefined || isClusterProtected(inputs, old),
  refuseReplacement(inputs, { inputs: old, outputs }) {
    const { connection, nodes = [] } = old;
    if (!isInitialized(outputs) || !hasOtherNodes(inputs, old)) return;
    throw replacedMachineError(connection, [...(inputs.nodes ?? []), ...nodes]);
  },
  async create(context, inputs) {
    const machine = await requireMachine(context, inputs);
    return { id: idOf(inputs), outputs: await createCluster(context, machine, inputs) };
  },
  adopt,
  async update(context, _id, inputs, old) {
    const { outputs } = old;
    const lives = isInitialized(outputs) && hasOtherControlPlanes(inputs, old.inputs);
    if (lives && !(await isLost(context, inputs, outputs.caCertHash))) return outputs;
    const machine = await requireMachine(context, inputs);
    if (isInitialized(outputs) && (await readRecord(machine, context.signal)) === undefined) {
      if (await isMemberOf(machine, outputs, context.signal)) return outputs;
      if (inputs.restoreFrom === undefined) await refuseNewCluster(context, machine, inputs, old.inputs);
    }
    return await createCluster(context, machine, inputs, outputs);
  },
  async read(context, _id, old) {
    const current = await readMachine(context, old, async (machine) => {
      const [progress, isMember] = await Promise.all([
        readProgress(machine, "init", ADMIN_CONF, context.signal),
        isMemberOf(machine, old.outputs, context.signal),
      ]);
      if (progress === "done" || isMember || hasOtherControlPlanes(old.inputs, old.inputs)) return old;
      return progress === "started" ? { ...old, unfinished: true } : undefined;
    });
    return current ?? keepCluster(context, old);
  },
  async delete(context, _id, { inputs, outputs }) {
    const machine = await findMachine(context, inputs);
    if (machine && (await needsReset(machine, outputs, context.signal))) await resetNode(machine, context);
    context.kube.forget();
  },
};

/** Records the cluster of the first control plane, whichever command made it a member. */
async function adopt(context: Context, inputs: InitInputs): Promise<{ id: string; outputs: InitOutputs }> {
  const machine = context.connections.get(inputs.connection);
  const membership = await readMembership(machine, context.signal);
  if (membership) return { id: idOf(inputs), outputs: { caCertHash: membership.caCertHash } };
  throw new StepError({
    step: "adopting the cluster",
    machine: machine.label,
    cause: "the first control plane of the configuration is in no cluster of kubeadm",
    action: "correct the order and the addresses of the control planes in the configuration",
  });
}

/** Refuses `kubeadm init` on a machine that has lost a cluster with other nodes. */
async function refuseNewCluster(context: Context, machine: Remote, inputs: InitInputs, old: InitInputs): Promise<void> {
  const progress = await readProgress(machine, "init", ADMIN_CONF, context.signal);
  if (progress === "done" || !hasOtherNodes(inputs, old)) return;
  context.undo();
  throw newClusterError(machine, [...(inputs.nodes ?? []), ...(old.nodes ?? [])]);
}

/** Whether no other control plane has the cluster, which the configuration wants to be restored then. */
async function isLost(context: Context, { restoreFrom }: InitInputs, hash: string): Promise<boolean> {
  if (restoreFrom === undefined) return false;
  const survivor = await findSurvivor(context, restoreFrom.others, hash);
  if (survivor !== undefined) context.info(`${survivor} has the cluster: nothing is restored`);
  return survivor === undefined;
}

/** Whether the machine is a member of the cluster, whichever command made it one. */
async function isMemberOf(
  machine: Remote,
  { caCertHash: hash }: Partial<InitOutputs>,
  signal: AbortSignal,
): Promise<boolean> {
  const membership = await readMembership(machine, signal);
  return hash !== undefined && membership !== undefined && isOfCluster(membership, hash);
}

/** Whether the machine still has this cluster. The deletion of its KubeadmJoin has usually removed it before. */
async function needsReset(
  machine: Remote,
  { caCertHash: hash }: Partial<InitOutputs>,
  signal: AbortSignal,
): Promise<boolean> {
  const [progress, membership] = await Promise.all([
    readProgress(machine, "init", ADMIN_CONF, signal),
    readMembership(machine, signal),
  ]);
  const isForeign = membership !== undefined && hash !== undefined && !isOfCluster(membership, hash);
  return !isForeign && (progress !== "none" || membership !== undefined);
}

export const kubeadmInitResource = register(kubeadmInit);
