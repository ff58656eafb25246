import type { Inputs, Outputs } from "../../contracts/contract";
import { kubeadmInitContract } from "../../contracts/kubeadm/init";
import type { KubeadmDocument } from "../../render/kubeadm-types";
import { PKI } from "../../render/component-paths";
import { toYaml, withBootstrapToken, withoutPreflight } from "../../render/kubeadm";
import { writeFiles, textFile } from "../host/files";
import { MACHINE_IGNORE, MACHINE_REPLACE_ON, readMachine, findMachine, requireMachine } from "../host/on-machine";
import { ADMIN_CONF } from "../kube/clients";
import { retryRequest } from "../kube/retry";
import { applyManifests } from "../kubeadm/apply-manifests";
import { readCertificateExpiries, warnOfExpiry } from "../kubeadm/certificates";
import { findImpossibleChanges, losesCluster } from "../kubeadm/impossible-changes";
import { resetNode } from "../kubeadm/reset";
import { readProgress, runKubeadm } from "../kubeadm/run";
import { withPatience } from "../kubeadm/timeouts";
import { generateToken, revokeToken } from "../kube/bootstrap-token";
import { caCertHash } from "../pki/ca-cert-hash";
import { register, type Context, type Handler } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

const CONFIG = "/etc/kubernetes/kubewright-cluster.yaml";

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
 * Applies changed settings to a running control plane: etcd first, then the API server and its clients. The cluster's
 * copy of the settings is written once they work.
 */
async function reconfigure(context: Context, machine: Remote, inputs: InitInputs): Promise<void> {
  const { signal, status } = context;
  const runPhases = async (...phases: string[]) => {
    status("writing the control plane's manifests");
    const commands = phases.map((phase) => `kubeadm init phase ${phase} --config ${CONFIG} 2>&1`);
    await machine.run(["set -e", ...commands].join("\n"), {
      step: "kubeadm init phase",
      signal,
      timeout: inputs.timeout,
    });
  };
  const writeEtcd = async () => {
    await writeFiles(machine, [textFile(CONFIG, toYaml(inputs.documents), "0600")], "kubeadm init phase", signal);
    await runPhases("etcd local");
  };
  await applyManifests(context, machine, {
    node: nodeOf(inputs),
    files: [CONFIG, `${PKI}/apiserver.crt`, `${PKI}/apiserver.key`],
    stages: [
      { components: ["etcd"], write: writeEtcd },
      {
        components: ["kube-apiserver", "kube-controller-manager", "kube-scheduler"],
        write: () => runPhases("certs apiserver", "control-plane all"),
      },
    ],
  });
  await runPhases("upload-config kubeadm", "addon kube-proxy");
}

function nodeOf({ documents, connection }: InitInputs): string {
  const init = documents.find(({ kind }) => kind === "InitConfiguration");
  const name = init?.kind === "InitConfiguration" ? init.nodeRegistration.name : "";
  return name || (connection.name ?? connection.host);
}

/** The first control plane: kubeadm init, resumed after an interrupted run. */
const kubeadmInit: Handler<typeof kubeadmInitContract> = {
  contract: kubeadmInitContract,
  replaceOn: MACHINE_REPLACE_ON,
  ignore: [...MACHINE_IGNORE, "timeout", "controlPlanes"],
  findImpossibleChanges,
  isProtected: losesCluster,
  async create(context, inputs) {
    const machine = await requireMachine(context, inputs);
    await init(context, machine, inputs);
    return { id: `${inputs.instance}/kubeadm-init`, outputs: await readOutputs(context, inputs) };
  },
  async update(context, _id, inputs) {
    const machine = await requireMachine(context, inputs);
    await init(context, machine, inputs);
    await reconfigure(context, machine, inputs);
    return readOutputs(context, inputs);
  },
  read: (context, _id, old) =>
    readMachine(context, old, async (machine) => {
      const [progress, ends] = await Promise.all([
        readProgress(machine, "init", ADMIN_CONF, context.signal),
        readCertificateExpiries(machine, context.signal),
      ]);
      if (progress !== "done") return undefined;
      warnOfExpiry(context, ends);
      return old;
    }),
  async delete(context, _id, { inputs }) {
    const machine = await findMachine(context, inputs);
    if (machine) await resetNode(machine, context);
    context.kube.forget();
  },
};

export const kubeadmInitResource = register(kubeadmInit);
