import { messageOf } from "../../common/errors";
import type { Connection } from "../../contracts/connection";
import type { ServingNode } from "../../render/kubelet-serving";
import { proveHealthy, type HealthState } from "../host/prove-healthy";
import { readJournal } from "../host/systemd";
import type { KubeApi } from "../kube/api";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { probeCertificate } from "../ssh/tls-probe";
import { approveServingRequests } from "./serving-requests";

/** Port of a kubelet's API. */
const KUBELET_PORT = 10_250;

export interface ServingKubelet {
  name: string;
  controlPlanes: readonly Connection[];
  /** Addresses for which the kubelet serves; absent if its certificate is not of concern. */
  servingAddresses?: readonly string[] | undefined;
}

/** Deletes the certificate that the kubelet issued to itself before, and no longer serves. */
const DELETE_SELF_SIGNED = `cd /var/lib/kubelet/pki 2>/dev/null || exit 0
[ ! -e kubelet-server-current.pem ] || rm -f kubelet.crt kubelet.key`;

/**
 * Approves the request of a kubelet, and waits until it serves a certificate of the cluster's CA for its node's
 * address. Does nothing where the kubelet has no addresses to serve for, or is no member of a cluster.
 * @throws StepError with the request that was refused, and the kubelet's last lines, at the deadline
 */
export async function proveServingCertificate(
  context: Context,
  machine: Remote,
  { name, controlPlanes, servingAddresses = [] }: ServingKubelet,
): Promise<void> {
  const { signal } = context;
  if (servingAddresses.length === 0 || !(await isMember(machine, signal))) return;
  const node = { name, addresses: servingAddresses };
  const api = await context.kube.api(controlPlanes, signal);
  const warned = new Set<string>();
  await proveHealthy(context, machine, {
    name: "the kubelet's serving certificate",
    check: async () => await checkServing(context, machine, { api, node, warned }),
    readLog: () => readJournal(machine, "kubelet.service", signal),
    action: `see \`kubectl get csr\`, and \`journalctl -u kubelet\` on the machine`,
  });
  await machine.run(DELETE_SELF_SIGNED, { step: "deleting the kubelet's self-signed certificate", signal });
}

async function isMember(machine: Remote, signal: AbortSignal): Promise<boolean> {
  const script = "[ ! -e /etc/kubernetes/kubelet.conf ] || echo member";
  const { stdout } = await machine.read(script, { step: "reading the kubelet's membership", signal });
  return stdout.trim() !== "";
}

interface Serving {
  api: KubeApi;
  node: ServingNode;
  /** Names of the requests about which the user was warned. */
  warned: Set<string>;
}

async function checkServing(context: Context, machine: Remote, { api, node, warned }: Serving): Promise<HealthState> {
  const problem = await findServingProblem(machine, node, api.caCertificate);
  if (problem === undefined) return "healthy";
  const refused = await approveServingRequests(api, node, context.signal);
  for (const request of refused.filter(({ name }) => !warned.has(name))) {
    warned.add(request.name);
    context.warn(`${machine.label}: the request ${request.name} was not approved: ${request.reason}`);
  }
  const requests = refused.map(({ name, reason }) => `; request ${name} is not approved: ${reason}`);
  return { waiting: `${problem}${requests.join("")}` };
}

/** Returns why API servers would not accept what the kubelet serves; undefined if they would. */
export async function findServingProblem(
  machine: Remote,
  { addresses }: Pick<ServingNode, "addresses">,
  ca: string,
): Promise<string | undefined> {
  const [host = ""] = addresses;
  return await probeCertificate(machine, KUBELET_PORT, { host, ca, address: host }).catch(describeFailure);
}

/** A kubelet without a certificate refuses connections by an alert of TLS. OpenSSL describes it in a line of codes. */
function describeFailure(error: unknown): string {
  const message = messageOf(error);
  return message.includes("alert internal error") ? "the kubelet has no serving certificate yet" : message;
}
