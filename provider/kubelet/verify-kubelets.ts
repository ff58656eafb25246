import { StepError, messageOf } from "../../common/errors";
import { until } from "../../common/wait";
import type { Connection } from "../../contracts/connection";
import { isReady } from "../kube/cordon";
import type { KubeApi } from "../kube/api";
import { retryRequest } from "../kube/retry";
import { findServingProblem } from "./prove-serving";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { withoutTraffic } from "../kubeadm/api-traffic";
import { applyManifests } from "../kubeadm/apply-manifests";
import { withKubeletAuthority } from "../kubeadm/kubelet-authority";
import { placeManifests } from "../kubeadm/manifests";
import { readManifestTexts } from "../kubeadm/manifest-texts";

const STEP = "verifying the kubelets";
const COMPONENT = "kube-apiserver";
/** Seconds until an API server that was restarted must reach every kubelet. */
const SECONDS = 60;

export interface VerifyingControlPlane {
  connection: Connection;
  /** Name of its node. */
  node: string;
}

/** A node that is Ready. */
interface Kubelet {
  name: string;
  /** Its internal address, which API servers use. */
  address: string;
}

/**
 * Lets an API server verify the certificates of kubelets, and proves that it reaches every one. Otherwise the previous
 * manifest is restored. Nothing restarts if the API server verifies them already.
 * @throws StepError if the certificate of a kubelet would not be accepted: then nothing changes
 */
export async function verifyKubelets(context: Context, controlPlane: VerifyingControlPlane): Promise<void> {
  const { connection, node } = controlPlane;
  const { signal } = context;
  const machine = context.connections.get(connection);
  const kubelets = await readKubelets(await context.kube.api([connection], signal), signal);
  const manifests = await readManifestTexts(machine, signal);
  const current = manifests.get(COMPONENT) ?? "";
  const text = withKubeletAuthority(current);
  const prove = () => proveReached(context, machine, { connection, kubelets });
  if (text === current) return await prove();
  await requireCertificates(context, machine, kubelets);
  await withoutTraffic(context, machine, node, () =>
    applyManifests(context, machine, {
      node,
      action: "see `kubectl get csr`, then run `pulumi up` again",
      stages: [
        {
          components: [COMPONENT],
          write: () => placeManifests(machine, new Map([[COMPONENT, text]]), [COMPONENT], signal),
          prove,
        },
      ],
    }),
  );
  context.info(`the API server of ${node} verifies the certificates of kubelets`);
}

async function readKubelets(api: KubeApi, signal: AbortSignal): Promise<Kubelet[]> {
  const { items } = await retryRequest(api, "listing the nodes", signal, () => api.core.listNode({}));
  return items.filter(isReady).flatMap(({ metadata, status }) => {
    const address = status?.addresses?.find(({ type }) => type === "InternalIP")?.address;
    return metadata?.name === undefined || address === undefined ? [] : [{ name: metadata.name, address }];
  });
}

async function requireCertificates(context: Context, machine: Remote, kubelets: readonly Kubelet[]): Promise<void> {
  context.status("reading the serving certificates of all kubelets");
  const { caCertificate } = await context.kube.api([machine.connection], context.signal);
  const problems = await Promise.all(
    kubelets.map(async ({ name, address }) => {
      const problem = await findServingProblem(machine, { addresses: [address] }, caCertificate);
      return problem === undefined ? [] : [`${name} (${address}): ${problem}`];
    }),
  );
  const all = problems.flat();
  if (all.length === 0) return;
  throw new StepError({
    step: STEP,
    machine: machine.label,
    cause: `API servers would not accept what these kubelets serve: ${all.join("; ")}; nothing was changed`,
    action: "see `kubectl get csr`, and run `pulumi up --refresh`",
  });
}

/** Asks every kubelet for its health, through the API server. @throws StepError with those that it does not reach */
async function proveReached(
  context: Context,
  machine: Remote,
  { connection, kubelets }: { connection: Connection; kubelets: readonly Kubelet[] },
): Promise<void> {
  const { signal, kube, status } = context;
  let left = [...kubelets];
  let cause = "";
  status(`${STEP} through the API server of ${machine.label}`);
  const check = async (kubelet: Kubelet) => {
    try {
      await kube.readText(connection, `/api/v1/nodes/${kubelet.name}/proxy/healthz`, signal);
      return [];
    } catch (error) {
      signal.throwIfAborted();
      cause = messageOf(error);
      return [kubelet];
    }
  };
  await until(
    async () => {
      left = (await Promise.all(left.map(check))).flat();
      return left.length === 0 ? true : undefined;
    },
    {
      signal,
      timeout: SECONDS,
      patience: machine.patience,
      every: 1_000,
      onTimeout: (seconds) =>
        new StepError({
          step: STEP,
          machine: machine.label,
          cause: `not reached after ${seconds} s: ${left.map(({ name }) => name).join(", ")}; ${cause}`,
          action: "see `kubectl get csr`, and `journalctl -u kubelet` on these machines",
        }),
    },
  );
}
