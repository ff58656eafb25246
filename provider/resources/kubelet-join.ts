import { timeoutSignal } from "../../common/timer";
import type { Inputs } from "../../contracts/contract";
import { kubeletJoinContract } from "../../contracts/kubelet/join";
import { BOOTSTRAP_KUBECONFIG, KUBELET_CA, KUBELET_KUBECONFIG } from "../../render/standalone-kubelet";
import { kubeconfig } from "../../render/components/kubeconfig";
import { readContents, removeFiles, textFile, textFiles, writeFiles } from "../host/files";
import { MACHINE_IGNORE, MACHINE_REPLACE_ON, readMachine, findMachine, requireMachine } from "../host/on-machine";
import type { KubeApi } from "../kube/api";
import { withJoinToken } from "../kube/bootstrap-token";
import { caCertHash } from "../pki/ca-cert-hash";
import { discoverCa } from "../kubelet/discover";
import { findImpossibleChanges } from "../kubelet/impossible-changes";
import { restartKubelet, detachKubelet, waitForBootstrap } from "../kubelet/run";
import { warnOfExpiry } from "../kubeadm/certificate-expiry";
import { readCertificates } from "../kubeadm/certificates";
import { register, type Context, type Handler } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

type JoinInputs = Inputs<typeof kubeletJoinContract>;

/** Returns the hash of the CA of the cluster that the kubelet is a member of; undefined if it is a member of none. */
async function readClusterCa(machine: Remote, signal: AbortSignal): Promise<string | undefined> {
  const texts = await readContents(machine, [KUBELET_CA, KUBELET_KUBECONFIG], signal);
  const ca = texts.get(KUBELET_CA);
  return texts.has(KUBELET_KUBECONFIG) && ca !== undefined ? caCertHash(ca) : undefined;
}

/** Whether the kubelet has a kubeconfig of this cluster. */
async function isMember(machine: Remote, { caCertHash: expected }: JoinInputs, signal: AbortSignal): Promise<boolean> {
  return (await readClusterCa(machine, signal)) === expected;
}

/** @param dropped Paths of files of the recorded join that the new inputs no longer have */
async function join(
  context: Context,
  machine: Remote,
  inputs: JoinInputs,
  dropped: readonly string[] = [],
): Promise<void> {
  const { signal } = context;
  await removeFiles(machine, dropped, "configuring the kubelet", signal);
  if (await isMember(machine, inputs, signal)) {
    // An interrupted join may have left it, with its token.
    await removeBootstrapKubeconfig(machine, signal);
    const written = await writeFiles(machine, textFiles(inputs.files), "configuring the kubelet", signal);
    if (written.length > 0 || dropped.length > 0) await restartKubelet(machine, signal);
    return;
  }
  context.status("verifying the cluster's CA");
  const caCertificate = await discoverCa(machine, { ...inputs, signal });
  context.status("creating a join token");
  const api = await context.kube.api(inputs.controlPlanes, signal);
  await withJoinToken(api, { node: inputs.node, signal, warn: context.warn }, async (token) => {
    await bootstrapKubelet(context, machine, inputs, { api, caCertificate, token });
  });
}

async function bootstrapKubelet(
  context: Context,
  machine: Remote,
  inputs: JoinInputs,
  { api, caCertificate, token }: { api: KubeApi; caCertificate: string; token: string },
): Promise<void> {
  const { clusterName, endpoint, node, signer, timeout } = inputs;
  const bootstrap = kubeconfig({
    clusterName,
    server: `https://${endpoint}`,
    caCertificate,
    user: "kubelet-bootstrap",
    identity: { token },
  });
  const files = [
    textFile(BOOTSTRAP_KUBECONFIG, bootstrap, "0600"),
    textFile(KUBELET_CA, caCertificate, "0644"),
    ...textFiles(inputs.files),
  ];
  try {
    await writeFiles(machine, files, "configuring the kubelet", context.signal);
    context.status("TLS bootstrap of the kubelet");
    await restartKubelet(machine, context.signal);
    await waitForBootstrap(context, machine, { api, node, token, signer, timeout });
  } catch (error) {
    await removeBootstrapKubeconfig(machine, timeoutSignal(10_000)).catch(() => undefined);
    throw error;
  }
  await removeBootstrapKubeconfig(machine, context.signal);
}

async function removeBootstrapKubeconfig(machine: Remote, signal: AbortSignal): Promise<void> {
  await machine.run(`rm -f ${BOOTSTRAP_KUBECONFIG}`, { step: "removing the bootstrap kubeconfig", signal });
}

/** A kubelet's membership in a cluster, by TLS bootstrap. Without it the kubelet runs in standalone mode. */
const kubeletJoin: Handler<typeof kubeletJoinContract> = {
  contract: kubeletJoinContract,
  replaceOn: [...MACHINE_REPLACE_ON, "node", "caCertHash"],
  ignore: [...MACHINE_IGNORE, "controlPlanes", "clusterName", "endpoint", "ranges", "signer", "timeout"],
  findImpossibleChanges,
  async create(context, inputs) {
    await join(context, await requireMachine(context, inputs), inputs);
    return { id: `${inputs.instance}/kubelet-join`, outputs: {} };
  },
  async update(context, _id, inputs, old) {
    const dropped = Object.keys(old.inputs.files).filter((path) => !(path in inputs.files));
    await join(context, await requireMachine(context, inputs), inputs, dropped);
    return {};
  },
  read: (context, _id, old) =>
    readMachine(context, old, async (machine) => {
      const [member, certificates] = await Promise.all([
        isMember(machine, old.inputs, context.signal),
        readCertificates(machine, context.signal),
      ]);
      warnOfExpiry(context, certificates);
      return member ? old : undefined;
    }),
  async delete(context, _id, { inputs }) {
    const machine = await findMachine(context, inputs);
    if (!machine) return;
    const ca = await readClusterCa(machine, context.signal);
    if (ca !== undefined && ca !== inputs.caCertHash)
      return context.warn(`${machine.label} has joined another cluster since, and stays in it`);
    await detachKubelet(context, machine, { node: inputs.node, files: Object.keys(inputs.files) });
  },
};

export const kubeletJoinResource = register(kubeletJoin);
