import type { Inputs } from "../../contracts/contract";
import { kubeadmJoinContract } from "../../contracts/kubeadm/join";
import { optional } from "../../common/optional";
import { StepError, messageOf } from "../../common/errors";
import type { Connection } from "../../contracts/connection";
import { toYaml, withBootstrapToken, withinSeconds } from "../../render/kubeadm-documents";
import { MACHINE_IGNORE, MACHINE_REPLACE_ON, readMachine, findMachine, requireMachine } from "../host/on-machine";
import type { KubeApi } from "../kube/api";
import { removeDeadMember, removePreviousMember } from "../kubeadm/etcd-member";
import { warnOfExpiry } from "../kubeadm/certificate-expiry";
import { readCertificates } from "../kubeadm/certificates";
import { KUBELET_CONF, changeKubeletEndpoint, readKubeletEndpoint } from "../kubeadm/kubelet-endpoint";
import { findOtherCluster } from "../kubeadm/impossible-changes";
import { findMovedWorker } from "../kubeadm/moved-node";
import { noControlPlaneError } from "../kubeadm/lost-cluster";
import { describeMismatch, readMembership, rejectMismatch, type Membership } from "../kubeadm/membership";
import { copyControlPlanePki, copyFormerAuthorities } from "../kubeadm/pki";
import { waitForMachine } from "../kubeadm/rejoined-node";
import { restoreTraffic } from "../kubeadm/api-traffic";
import { resetNode } from "../kubeadm/reset";
import { retireControlPlane, retireMachine } from "../kubeadm/retire-control-plane";
import { type KubeadmProgress, readProgress, runKubeadm } from "../kubeadm/run";
import { withPatience } from "../kubeadm/timeouts";
import { ignoreNotFound } from "../kube/errors";
import { waitUntilNotReady } from "../kube/node-ready";
import { retryRequest } from "../kube/retry";
import { TokenExpiredError, withJoinToken } from "../kube/bootstrap-token";
import { caCertHash } from "../pki/ca-cert-hash";
import { register, type Adopted, type Context, type Handler } from "../rpc/handler";
import { machineName } from "../ssh/connection";
import type { Remote } from "../ssh/remote";

type JoinInputs = Inputs<typeof kubeadmJoinContract>;

/** Reads how far the membership came. The control plane that initialized the cluster is a member without a join. */
async function readState(
  machine: Remote,
  signal: AbortSignal,
): Promise<{ progress: KubeadmProgress; membership: Membership | undefined }> {
  const [join, init, membership] = await Promise.all([
    readProgress(machine, "join", KUBELET_CONF, signal),
    readProgress(machine, "init", KUBELET_CONF, signal),
    readMembership(machine, signal),
  ]);
  return { progress: init === "done" ? init : join, membership };
}

async function join(context: Context, machine: Remote, inputs: JoinInputs): Promise<void> {
  const { progress, membership } = await readState(machine, context.signal);
  rejectMismatch(machine, membership, membershipOf(inputs));
  if (progress === "done") return;
  const others = otherControlPlanes(context, inputs);
  // Resets what an interrupted join left.
  if (progress === "started") await resetNode(machine, { ...context, others });
  context.status("creating a join token");
  const api = await openCluster(context, machine, inputs);
  try {
    await joinOnce(context, machine, inputs, api);
  } catch (error) {
    const cause = describeTransient(error);
    if (cause === undefined) throw error;
    context.warn(`${cause}: joining again with a new token`);
    await resetNode(machine, { ...context, others });
    if (NAME_TAKEN.test(messageOf(error)))
      await waitUntilNotReady(api, { ...context, node: membershipOf(inputs).node, timeout: NOT_READY_SECONDS });
    await joinOnce(context, machine, inputs, api);
  }
}

/** kubeadm's message about a node whose last state was Ready. */
const NAME_TAKEN = /a Node with name "[^"]+" and status "Ready" already exists/;
/** Seconds until the controller manager misses the reports of a node. */
const NOT_READY_SECONDS = 120;

/** @returns why another join may succeed, or undefined when it would fail again */
function describeTransient(error: unknown): string | undefined {
  if (error instanceof TokenExpiredError) return "the join token expired before kubeadm used it";
  if (!(error instanceof StepError)) return undefined;
  if (NAME_TAKEN.test(error.failure.cause)) return "a node of this name seems to be Ready";
  // Under load, etcd may answer later than kubeadm's check of it waits.
  return /check-etcd.*context deadline exceeded/s.test(error.failure.cause) ? "etcd did not answer in time" : undefined;
}

/**
 * Returns the API of the cluster, once it answers a request for which etcd needs its majority.
 * @throws StepError where no control plane answers it
 */
async function openCluster(context: Context, machine: Remote, inputs: JoinInputs): Promise<KubeApi> {
  const { signal } = context;
  try {
    const api = await context.kube.api(otherConnections(inputs), signal);
    const name = "cluster-info";
    await retryRequest(api, `reading ${name}`, signal, () =>
      ignoreNotFound(api.core.readNamespacedConfigMap({ name, namespace: "kube-public" })),
    );
    return api;
  } catch (error) {
    signal.throwIfAborted();
    throw noControlPlaneError(machine, error);
  }
}

async function joinOnce(context: Context, machine: Remote, inputs: JoinInputs, api: KubeApi): Promise<void> {
  if (isControlPlane(inputs)) {
    const { caCertHash: hash } = inputs;
    await Promise.all([
      copyControlPlanePki(context, { from: otherConnections(inputs), to: machine, caCertHash: hash }),
      removePreviousMember(membershipOf(inputs).node, otherControlPlanes(context, inputs), context),
    ]);
  } else await copyFormerAuthorities(context, { from: inputs.controlPlanes, to: machine });
  const { name, signal, warn } = context;
  await withJoinToken(api, { node: name, signal, warn, signed: true }, async (token) => {
    await runKubeadm(context, machine, {
      verb: "join",
      flags: [],
      config: joinConfig(inputs, api, token),
      timeout: inputs.timeout,
      action: "fix the cause, then run `pulumi up` again: only this node is joined",
    });
  });
  await waitForMachine(context, api, { node: membershipOf(inputs).node, instance: inputs.instance });
}

/** Returns the control planes without this machine: what it has of a cluster may be left from before. */
function otherConnections({ controlPlanes, connection }: JoinInputs): Connection[] {
  return controlPlanes.filter(({ host, port }) => host !== connection.host || port !== connection.port);
}

function otherControlPlanes(context: Context, inputs: JoinInputs): Remote[] {
  return otherConnections(inputs).map((controlPlane) => context.connections.get(controlPlane));
}

function isControlPlane({ document }: JoinInputs): boolean {
  return document.controlPlane !== undefined;
}

/** The balancers may know a control plane of this name that was taken out of them before it left. */
async function joinAndServe(context: Context, machine: Remote, inputs: JoinInputs): Promise<void> {
  await join(context, machine, inputs);
  await ensureEndpoint(context, machine, inputs);
  if (isControlPlane(inputs)) await restoreTraffic(context, machine);
}

/** A join takes the address from the cluster's `cluster-info`, which may still name an earlier one. */
async function ensureEndpoint(context: Context, machine: Remote, inputs: JoinInputs): Promise<void> {
  const { endpoint, controlPlanes } = inputs;
  if (endpoint === undefined) return;
  await changeKubeletEndpoint(context, machine, { node: membershipOf(inputs).node, endpoint, controlPlanes });
}

/** The membership that the join creates. */
function membershipOf({ document, connection, caCertHash: hash }: JoinInputs): Membership {
  const { nodeRegistration } = document;
  return { node: nodeRegistration.name || machineName(connection), caCertHash: hash };
}

function isForeign(actual: Membership | undefined, inputs: JoinInputs): boolean {
  return actual !== undefined && describeMismatch(actual, membershipOf(inputs)) !== undefined;
}

function joinConfig(inputs: JoinInputs, api: KubeApi, token: string): string {
  const document = withinSeconds(inputs.document, inputs.timeout * api.patience);
  return toYaml(
    withBootstrapToken([withPatience(document, api.patience)], {
      token,
      caCertHashes: [caCertHash(api.caCertificate)],
    }),
  );
}

const idOf = ({ instance }: JoinInputs) => `${instance}/kubeadm-join`;

/** Records the membership of a machine that has joined this cluster, under this name. */
async function adopt(context: Context, inputs: JoinInputs): Promise<Adopted<Record<string, never>>> {
  const machine = context.connections.get(inputs.connection);
  const { progress, membership } = await readState(machine, context.signal);
  rejectMismatch(machine, membership, membershipOf(inputs));
  if (membership && progress === "done") return { id: idOf(inputs), outputs: {} };
  throw new StepError({
    step: "adopting the machine",
    machine: machine.label,
    cause: membership ? "its `kubeadm join` has not finished" : "it is not a member of this cluster",
    action: "remove it from the configuration, adopt the others, and add it again afterwards: then it joins",
  });
}

/** Whether this run deletes the machine after its resources. Until then it may serve. */
function isToBeDeleted({ unreachable }: Context, { connection, instance }: JoinInputs): boolean {
  return unreachable.isRebuilt(instance) && !unreachable.isMarkedGone(connection);
}

/** Removes the etcd member of a machine that is gone, was rebuilt, or does not answer. */
async function leaveDeadMachine(
  context: Context,
  inputs: JoinInputs,
  { others, abandoned }: { others: readonly Remote[]; abandoned: boolean },
): Promise<void> {
  if (!isControlPlane(inputs)) return;
  const { node } = membershipOf(inputs);
  try {
    await removeDeadMember(node, others, context);
  } catch (error) {
    // When all control planes are lost, the restored etcd has the member of the new one only.
    if (context.signal.aborted || !(abandoned || context.settings.restoreFrom !== undefined)) throw error;
    context.warn(`etcd may still count ${node} as a member: ${messageOf(error)}`);
  }
}

/** A machine's membership in a cluster: kubeadm join, with a token that is created and deleted for this join. */
const kubeadmJoin: Handler<typeof kubeadmJoinContract> = {
  contract: kubeadmJoinContract,
  replaceOn: [...MACHINE_REPLACE_ON, "caCertHash"],
  // A joined node does not read its join configuration again.
  ignore: [...MACHINE_IGNORE, "controlPlanes", "document", "timeout"],
  findImpossibleChanges: (inputs, old) => [...findOtherCluster(inputs, old), ...findMovedWorker(inputs, old)],
  async create(context, inputs) {
    const machine = await requireMachine(context, inputs);
    await joinAndServe(context, machine, inputs);
    return { id: idOf(inputs), outputs: {} };
  },
  adopt,
  async update(context, _id, inputs) {
    const machine = await requireMachine(context, inputs);
    await joinAndServe(context, machine, inputs);
    return {};
  },
  read: (context, _id, old) =>
    readMachine(context, old, async (machine) => {
      const { inputs } = old;
      const [{ progress, membership }, certificates, endpoint] = await Promise.all([
        readState(machine, context.signal),
        isControlPlane(inputs) ? [] : readCertificates(machine, context.signal), // ControlPlane reports its own.
        inputs.endpoint === undefined ? undefined : readKubeletEndpoint(machine, context.signal),
      ]);
      warnOfExpiry(context, certificates);
      if (progress === "none" || isForeign(membership, inputs)) return undefined;
      const read = { ...old, inputs: { ...inputs, ...optional({ endpoint }) } };
      return progress === "done" ? read : { ...read, unfinished: true };
    }),
  async delete(context, _id, { inputs }) {
    const machine = await findMachine(context, inputs);
    const others = otherControlPlanes(context, inputs);
    const abandoned = context.unreachable.isAbandoned(inputs.connection);
    const { node } = membershipOf(inputs);
    const leave = () => leaveDeadMachine(context, inputs, { others, abandoned });
    const isServing = isControlPlane(inputs) && others.length > 0;
    if (!machine && isServing && isToBeDeleted(context, inputs))
      return await retireMachine(context, inputs, { node, leave });
    if (!machine) return await leave();
    // Since then the machine may have joined another cluster, or under another name: that membership stays.
    if (isForeign(await readMembership(machine, context.signal), inputs)) return;
    if (isServing) await retireControlPlane(context, machine, { node, others, abandoned });
    else await resetNode(machine, { ...context, others, abandoned });
  },
};

export const kubeadmJoinResource = register(kubeadmJoin);
