import type { Inputs, Outputs } from "../../contracts/contract";
import { kubeadmInitContract } from "../../contracts/kubeadm/init";
import type { KubeadmDocument } from "../../render/kubeadm-types";
import { toYaml, withBootstrapToken, withoutPreflight } from "../../render/kubeadm";
import { MACHINE_IGNORE, MACHINE_REPLACE_ON, readMachine, findMachine, requireMachine } from "../host/on-machine";
import { ADMIN_CONF } from "../kube/clients";
import { retryRequest } from "../kube/retry";
import { findImpossibleChanges, hasOtherControlPlanes } from "../kubeadm/impossible-changes";
import { readMembership } from "../kubeadm/membership";
import { resetNode } from "../kubeadm/reset";
import { readProgress, runKubeadm } from "../kubeadm/run";
import { withPatience } from "../kubeadm/timeouts";
import { generateToken, revokeToken } from "../kube/bootstrap-token";
import { caCertHash } from "../pki/ca-cert-hash";
import { register, type Context, type Handler } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

type InitInputs = Inputs<typeof kubeadmInitContract>;
type InitOutputs = Outputs<typeof kubeadmInitContract>;

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

async function readOutputs(context: Context, inputs: InitInputs): Promise<InitOutputs> {
  const { caCertificate } = await context.kube.api([inputs.connection], context.signal);
  return { caCertHash: caCertHash(caCertificate) };
}

/** Scales the timeouts of the init document, the only one that has timeouts. */
function scaleTimeouts(document: KubeadmDocument, patience: number): KubeadmDocument {
  return document.kind === "InitConfiguration" ? withPatience(document, patience) : document;
}

/**
 * The beginning of a cluster: `kubeadm init`, once. The cluster outlives the machine: while it has other control
 * planes, this resource stays as it is when the machine is rebuilt or leaves, and KubeadmJoin makes a machine a member.
 */
const kubeadmInit: Handler<typeof kubeadmInitContract> = {
  contract: kubeadmInitContract,
  replaceOn: MACHINE_REPLACE_ON,
  // `kubeadm init` reads the documents once. A change of them reaches all control planes through ControlPlane.
  ignore: [...MACHINE_IGNORE, "timeout", "controlPlanes", "documents"],
  findImpossibleChanges,
  isProtected: hasOtherControlPlanes,
  async create(context, inputs) {
    const machine = await requireMachine(context, inputs);
    await init(context, machine, inputs);
    return { id: `${inputs.instance}/kubeadm-init`, outputs: await readOutputs(context, inputs) };
  },
  async update(context, _id, inputs, old) {
    const isInitialized = old.outputs.caCertHash !== undefined;
    if (isInitialized && hasOtherControlPlanes(inputs, old.inputs)) return old.outputs;
    const machine = await requireMachine(context, inputs);
    const isMember = isInitialized && (await isMemberOf(machine, old.outputs, context.signal));
    if (isMember) return old.outputs;
    await init(context, machine, inputs);
    return readOutputs(context, inputs);
  },
  read: (context, _id, old) =>
    readMachine(context, old, async (machine) => {
      const [progress, isMember] = await Promise.all([
        readProgress(machine, "init", ADMIN_CONF, context.signal),
        isMemberOf(machine, old.outputs, context.signal),
      ]);
      if (progress === "done" || isMember || hasOtherControlPlanes(old.inputs, old.inputs)) return old;
      return progress === "started" ? { ...old, unfinished: true } : undefined;
    }),
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
