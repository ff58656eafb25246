import { StepError, messageOf } from "../../common/errors";
import { until } from "../../common/wait";
import type { Connection } from "../../contracts/connection";
import { serverOf, withServer } from "../../render/kubeconfig-server";
import { readContents, textFile, writeFiles } from "../host/files";
import { waitUntilUnitHealthy } from "../host/unit-health";
import type { KubeApi } from "../kube/api";
import { API_PORT } from "../kube/clients";
import { readLease } from "../kube/node-lease";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { probeCertificate } from "../ssh/tls-probe";

export const KUBELET_CONF = "/etc/kubernetes/kubelet.conf";
const UNIT = "kubelet.service";
const STEP = "changing the kubelet's API server";
const ACTION = "fix the cause, then run `pulumi up` again";
/** Seconds: the control planes may get their new certificates at the same time. */
const CERTIFICATE_SECONDS = 120;
/** Seconds: the kubelet renews its lease every 10 s, and immediately after its start. */
const LEASE_SECONDS = 60;

export interface EndpointChange {
  node: string;
  /** `host:port` */
  endpoint: string;
  /** All control planes, whose certificates must be valid for the endpoint. */
  controlPlanes: readonly Connection[];
}

/** Reads the address that the kubelet's kubeconfig names; undefined if there is none. */
export async function readKubeletEndpoint(machine: Remote, signal: AbortSignal): Promise<string | undefined> {
  return serverOf((await readContents(machine, [KUBELET_CONF], signal)).get(KUBELET_CONF) ?? "");
}

/**
 * Makes the kubelet use another address of the API server. Pods keep running. The kubelet must renew its lease through
 * the new address; otherwise the previous file is restored.
 * @throws StepError before anything is changed if an API server's certificate is not valid for the endpoint
 */
export async function changeKubeletEndpoint(context: Context, machine: Remote, change: EndpointChange): Promise<void> {
  const { signal } = context;
  const before = (await readContents(machine, [KUBELET_CONF], signal)).get(KUBELET_CONF);
  if (before === undefined || serverOf(before) === change.endpoint) return;
  const api = await context.kube.api(change.controlPlanes, signal);
  await waitForCertificates(context, machine, change, api);
  try {
    await useKubeconfig(context, machine, withServer(before, change.endpoint));
    await waitForLease(context, machine, change, api);
  } catch (error) {
    signal.throwIfAborted();
    await useKubeconfig(context, machine, before);
    const { cause } = error instanceof StepError ? error.failure : { cause: messageOf(error) };
    throw new StepError({
      step: STEP,
      machine: machine.label,
      cause: `${cause}; the kubelet uses ${serverOf(before) ?? "the previous address"} again`,
      action: ACTION,
    });
  }
}

async function useKubeconfig(context: Context, machine: Remote, content: string): Promise<void> {
  const { signal } = context;
  context.status(`restarting the kubelet, which then uses ${serverOf(content) ?? "another address"}`);
  await writeFiles(machine, [textFile(KUBELET_CONF, content, "0600")], STEP, signal);
  await machine.run(`systemctl restart ${UNIT}`, { step: STEP, signal, action: ACTION });
  await waitUntilUnitHealthy(context, machine, { unit: UNIT });
}

/** Waits until the kubelet renews its lease: the proof that it reaches an API server. */
async function waitForLease(
  { signal, status }: Context,
  machine: Remote,
  { node, endpoint }: EndpointChange,
  api: KubeApi,
): Promise<void> {
  status(`waiting for the kubelet to reach ${endpoint}`);
  const first = await readLease(api, node);
  await until(async () => ((await readLease(api, node)) === first ? undefined : true), {
    signal,
    timeout: LEASE_SECONDS,
    patience: machine.patience,
    every: 500,
    onTimeout: (seconds) =>
      new StepError({
        step: STEP,
        machine: machine.label,
        cause: `the kubelet did not renew its lease through ${endpoint} within ${seconds} s`,
      }),
  });
}

/** Waits until every API server that answers, and the node's own balancer, present a certificate for the endpoint. */
async function waitForCertificates(
  { connections, signal, status }: Context,
  machine: Remote,
  { endpoint, controlPlanes }: EndpointChange,
  { caCertificate: ca }: KubeApi,
): Promise<void> {
  status(`waiting until the API servers have a certificate for ${endpoint}`);
  const [host = "", port] = [endpoint.slice(0, endpoint.lastIndexOf(":")), Number(endpoint.split(":").at(-1))];
  let cause = "";
  await until(
    async () => {
      const probes = [
        probeCertificate(machine, port, { host, ca }).catch(messageOf),
        // A control plane that is down does not delay the others.
        ...controlPlanes.map((each) =>
          probeCertificate(connections.get(each), API_PORT, { host, ca }).catch(() => undefined),
        ),
      ];
      cause = (await Promise.all(probes)).filter(Boolean).join("; ");
      return cause === "" ? true : undefined;
    },
    {
      signal,
      timeout: CERTIFICATE_SECONDS,
      patience: machine.patience,
      every: 1_000,
      onTimeout: () => new StepError({ step: STEP, machine: machine.label, cause, action: ACTION }),
    },
  );
}
