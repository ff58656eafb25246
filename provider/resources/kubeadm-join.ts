import type { Inputs } from "../../contracts/contract";
import { kubeadmJoinContract } from "../../contracts/kubeadm/join";
import { StepError } from "../../common/errors";
import { toYaml, withBootstrapToken, withinSeconds } from "../../render/kubeadm";
import { MACHINE_IGNORE, MACHINE_REPLACE_ON, readMachine, findMachine, requireMachine } from "../host/on-machine";
import type { KubeApi } from "../kube/api";
import { removeDeadMember } from "../kubeadm/etcd-member";
import { readCertificateExpiries, warnOfExpiry } from "../kubeadm/certificates";
import { describeMismatch, readMembership, rejectMismatch, type Membership } from "../kubeadm/membership";
import { copyControlPlanePki } from "../kubeadm/pki";
import { resetNode } from "../kubeadm/reset";
import { readProgress, runKubeadm } from "../kubeadm/run";
import { withPatience } from "../kubeadm/timeouts";
import { TokenExpiredError, withJoinToken } from "../kube/bootstrap-token";
import { caCertHash } from "../pki/ca-cert-hash";
import { register, type Context, type Handler } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

const KUBELET_CONF = "/etc/kubernetes/kubelet.conf";

type JoinInputs = Inputs<typeof kubeadmJoinContract>;

async function join(context: Context, machine: Remote, inputs: JoinInputs): Promise<void> {
  const [progress, membership] = await Promise.all([
    readProgress(machine, "join", KUBELET_CONF, context.signal),
    readMembership(machine, context.signal),
  ]);
  rejectMismatch(machine, membership, membershipOf(inputs));
  if (progress === "done") return;
  const others = otherControlPlanes(context, inputs);
  // Resets what an interrupted join left.
  if (progress === "started") await resetNode(machine, { ...context, others });
  context.status("creating a join token");
  const api = await context.kube.api(inputs.controlPlanes, context.signal);
  try {
    await joinOnce(context, machine, inputs, api);
  } catch (error) {
    const cause = describeTransient(error);
    if (cause === undefined) throw error;
    context.warn(`${cause}: joining again with a new token`);
    await resetNode(machine, { ...context, others });
    await joinOnce(context, machine, inputs, api);
  }
}

/** @returns why another join may succeed, or undefined when it would fail again */
function describeTransient(error: unknown): string | undefined {
  if (error instanceof TokenExpiredError) return "the join token expired before kubeadm used it";
  if (!(error instanceof StepError)) return undefined;
  // Under load, etcd may answer later than kubeadm's check of it waits.
  return /check-etcd.*context deadline exceeded/s.test(error.failure.cause) ? "etcd did not answer in time" : undefined;
}

async function joinOnce(context: Context, machine: Remote, inputs: JoinInputs, api: KubeApi): Promise<void> {
  if (inputs.document.controlPlane !== undefined) await copyControlPlanePki(context, inputs.controlPlanes, machine);
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
}

/** Returns the control planes without this machine, which cannot remove its own etcd member if its etcd is broken. */
function otherControlPlanes(context: Context, { controlPlanes, connection }: JoinInputs): Remote[] {
  return controlPlanes
    .filter(({ host, port }) => host !== connection.host || port !== connection.port)
    .map((controlPlane) => context.connections.get(controlPlane));
}

/** The membership that the join creates. */
function membershipOf({ document, connection, caCertHash: hash }: JoinInputs): Membership {
  const { nodeRegistration } = document;
  return { node: nodeRegistration.name || (connection.name ?? connection.host), caCertHash: hash };
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

/** A machine's membership in a cluster: kubeadm join, with a token that is created and deleted for this join. */
const kubeadmJoin: Handler<typeof kubeadmJoinContract> = {
  contract: kubeadmJoinContract,
  replaceOn: [...MACHINE_REPLACE_ON, "caCertHash"],
  // A joined node does not read its join configuration again.
  ignore: [...MACHINE_IGNORE, "controlPlanes", "document", "timeout"],
  async create(context, inputs) {
    const machine = await requireMachine(context, inputs);
    await join(context, machine, inputs);
    return { id: `${inputs.instance}/kubeadm-join`, outputs: {} };
  },
  async update(context, _id, inputs) {
    await join(context, await requireMachine(context, inputs), inputs);
    return {};
  },
  read: (context, _id, old) =>
    readMachine(context, old, async (machine) => {
      const { document } = old.inputs;
      const ends = document.controlPlane === undefined ? [] : readCertificateExpiries(machine, context.signal);
      const [progress, membership, expiries] = await Promise.all([
        readProgress(machine, "join", KUBELET_CONF, context.signal),
        readMembership(machine, context.signal),
        ends,
      ]);
      if (progress !== "done" || isForeign(membership, old.inputs)) return undefined;
      warnOfExpiry(context, expiries);
      return old;
    }),
  async delete(context, _id, { inputs }) {
    const machine = await findMachine(context, inputs);
    const others = otherControlPlanes(context, inputs);
    if (!machine) {
      const { node } = membershipOf(inputs);
      if (inputs.document.controlPlane !== undefined) await removeDeadMember(node, others, context);
      return;
    }
    // Since then the machine may have joined another cluster, or under another name: that membership stays.
    if (isForeign(await readMembership(machine, context.signal), inputs)) return;
    await resetNode(machine, { ...context, others, abandoned: context.unreachable.isAbandoned(inputs.connection) });
  },
};

export const kubeadmJoinResource = register(kubeadmJoin);
