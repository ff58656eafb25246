import type { Inputs, Outputs } from "../../contracts/contract";
import { kubeadmInitContract } from "../../contracts/kubeadm/init";
import type { KubeadmDocument } from "../../render/kubeadm-types";
import { toYaml, withBootstrapToken, withoutPreflight } from "../../render/kubeadm";
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
import { readMembership } from "../kubeadm/membership";
import { resetNode } from "../kubeadm/reset";
import { readProgress, runKubeadm } from "../kubeadm/run";
import { withPatience } from "../kubeadm/timeouts";
import { generateToken, revokeToken } from "../kube/bootstrap-token";
import { caCertHash } from "../pki/ca-cert-hash";
import { register, type Context, type Handler, type Recorded } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

type InitInputs = Inputs<typeof kubeadmInitContract>;
type InitOutputs = Outputs<typeof kubeadmInitContract>;
type RecordedInit = Recorded<InitInputs, InitOutputs>;

async function init(context: Context, machine: Remote, inputs: InitInputs): Promise<void> {
  const progress = await readProgress(machine, "init", ADMIN_CONF, context.signal);
  if (progress === "done") return;
  // kubeadm requires a token. It is not used, because every node gets its own.
  const token = generateToken();
  // Leftovers of an interrupted init belong to this cluster: its certificates are reused, its manifests rewritten.
  const resumed = progress === "started" ? withoutPreflight(inputs.documents) : inputs.documents;
  const documents = resumed.map((document) => scaleTimeouts(document, machine.patience));
  context.status("kubeadm init");
  await runKubeadm(context, machine, {
    verb: "init",
    flags: ["--skip-token-print", "--skip-certificate-key-print"],
    config: toYaml(withBootstrapToken(documents, { token, ttl: "15m0s" })),
    timeout: inputs.timeout,
    action: "fix the cause, then run the command again, which continues from here",
  });
  context.kube.forget();
  const api = await context.kube.api([inputs.connection], context.signal);
  await retryRequest(api, "revoking kubeadm's own token", context.signal, () => revokeToken(api, token));
}

async function initialize(context: Context, inputs: InitInputs): Promise<InitOutputs> {
  await init(context, await requireMachine(context, inputs), inputs);
  return await readOutputs(context, inputs);
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
  ignore: [...MACHINE_IGNORE, "timeout", "controlPlanes", "nodes", "documents"],
  findImpossibleChanges,
  isProtected: isClusterProtected,
  refuseReplacement(inputs, { inputs: old, outputs }) {
    const { connection, nodes = [] } = old;
    if (!isInitialized(outputs) || !hasOtherNodes(inputs, old)) return;
    throw replacedMachineError(connection, [...(inputs.nodes ?? []), ...nodes]);
  },
  async create(context, inputs) {
    return { id: `${inputs.instance}/kubeadm-init`, outputs: await initialize(context, inputs) };
  },
  async update(context, _id, inputs, old) {
    if (!isInitialized(old.outputs)) return await initialize(context, inputs);
    if (hasOtherControlPlanes(inputs, old.inputs)) return old.outputs;
    const machine = await requireMachine(context, inputs);
    if (await isMemberOf(machine, old.outputs, context.signal)) return old.outputs;
    const progress = await readProgress(machine, "init", ADMIN_CONF, context.signal);
    if (progress !== "done" && hasOtherNodes(inputs, old.inputs)) {
      context.undo();
      throw newClusterError(machine, [...(inputs.nodes ?? []), ...(old.inputs.nodes ?? [])]);
    }
    return await initialize(context, inputs);
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

/** Whether the machine is a member of the cluster, whichever command made it one. */
async function isMemberOf(
  machine: Remote,
  { caCertHash: hash }: Partial<InitOutputs>,
  signal: AbortSignal,
): Promise<boolean> {
  return hash !== undefined && (await readMembership(machine, signal))?.caCertHash === hash;
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
  const isForeign = membership !== undefined && hash !== undefined && membership.caCertHash !== hash;
  return !isForeign && (progress !== "none" || membership !== undefined);
}

export const kubeadmInitResource = register(kubeadmInit);
