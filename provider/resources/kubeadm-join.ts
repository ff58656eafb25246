import type { Inputs } from "../../contracts/contract";
import { kubeadmJoinContract } from "../../contracts/kubeadm/join";
import { toYaml, withBootstrapToken, withinSeconds } from "../../render/kubeadm";
import { HOST_IGNORES, HOST_REPLACES, lookAt, sameMachine, theMachine } from "../host/on-machine";
import type { KubeApi } from "../kube/api";
import { removeDeadMember } from "../kubeadm/etcd-member";
import { readCertificateExpiries, warnOfExpiry } from "../kubeadm/certificates";
import { copyControlPlanePki } from "../kubeadm/pki";
import { resetNode } from "../kubeadm/reset";
import { readProgress, runKubeadm } from "../kubeadm/run";
import { TokenExpiredError, withJoinToken } from "../kube/bootstrap-token";
import { caCertHash } from "../pki/ca-cert-hash";
import { register, type Context, type Handler } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

const KUBELET_CONF = "/etc/kubernetes/kubelet.conf";

type JoinInputs = Inputs<typeof kubeadmJoinContract>;

async function join(context: Context, machine: Remote, inputs: JoinInputs): Promise<void> {
  const progress = await readProgress(machine, "join", KUBELET_CONF, context.signal);
  if (progress === "done") return;
  if (progress === "started") await resetNode(machine, { ...context, others: otherControlPlanes(context, inputs) }); // A half-done join is undone: joining is quick.
  context.status("creating a join token");
  const api = await context.kube.api(inputs.controlPlanes, context.signal);
  try {
    await joinOnce(context, machine, inputs, api);
  } catch (error) {
    if (!(error instanceof TokenExpiredError)) throw error;
    context.warn("the join token expired before kubeadm used it: joining again with a new token");
    await resetNode(machine, { ...context, others: otherControlPlanes(context, inputs) });
    await joinOnce(context, machine, inputs, api);
  }
}

async function joinOnce(context: Context, machine: Remote, inputs: JoinInputs, api: KubeApi): Promise<void> {
  if (inputs.document.controlPlane !== undefined) await copyControlPlanePki(context, inputs.controlPlanes, machine);
  const { name, signal, warn } = context;
  await withJoinToken(api, { node: name, signal, warn, signed: true }, async (token) => {
    await runKubeadm(context, machine, {
      verb: "join",
      flags: [],
      config: configOf(inputs, api, token),
      timeout: inputs.timeout,
      action: "fix the cause, then run `pulumi up` again: only this node is joined",
    });
  });
}

/** Not the machine itself: it cannot take itself out of etcd when its own etcd is broken. */
function otherControlPlanes(context: Context, { controlPlanes, connection }: JoinInputs): Remote[] {
  return controlPlanes
    .filter(({ host, port }) => host !== connection.host || port !== connection.port)
    .map((one) => context.connections.get(one));
}

/** The name under which it joined. */
function nodeOf({ document, connection }: JoinInputs): string {
  const { nodeRegistration } = document;
  return nodeRegistration.name || (connection.name ?? connection.host);
}

function configOf(inputs: JoinInputs, api: KubeApi, token: string): string {
  const document = withinSeconds(inputs.document, inputs.timeout * api.patience);
  return toYaml(withBootstrapToken([document], { token, caCertHashes: [caCertHash(api.caCertificate)] }));
}

/** A machine's membership in a cluster: kubeadm join with a token of its own, which lives for this join only. */
const kubeadmJoin: Handler<typeof kubeadmJoinContract> = {
  contract: kubeadmJoinContract,
  replaceOn: [...HOST_REPLACES, "caCertHash"],
  // A joined node does not read its join configuration again.
  ignore: [...HOST_IGNORES, "controlPlanes", "document", "timeout"],
  async create(context, inputs) {
    const machine = await theMachine(context, inputs);
    await join(context, machine, inputs);
    return { id: `${inputs.instance}/kubeadm-join`, outputs: {} };
  },
  async update(context, _id, inputs) {
    await join(context, await theMachine(context, inputs), inputs);
    return {};
  },
  read: (context, _id, old) =>
    lookAt(context, old, async (machine) => {
      const { document } = old.inputs;
      const ends = document.controlPlane === undefined ? [] : readCertificateExpiries(machine, context.signal);
      const [progress, soon] = await Promise.all([readProgress(machine, "join", KUBELET_CONF, context.signal), ends]);
      if (progress !== "done") return undefined;
      warnOfExpiry(context, soon);
      return old;
    }),
  async delete(context, _id, { inputs }) {
    const machine = await sameMachine(context, inputs);
    const abandoned = context.unreachable.isAbandoned(inputs.connection);
    if (machine) await resetNode(machine, { ...context, others: otherControlPlanes(context, inputs), abandoned });
    else if (inputs.document.controlPlane !== undefined)
      await removeDeadMember(nodeOf(inputs), otherControlPlanes(context, inputs), context);
  },
};

export const kubeadmJoinResource = register(kubeadmJoin);
