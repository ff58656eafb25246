import type { KubeConfig } from "@kubernetes/client-node" with { "resolution-mode": "import" };
import { request, type Agent, type AgentOptions, type RequestOptions } from "node:https";
import { StepError, messageOf } from "../../common/errors";
import { firstSuccess } from "../../common/first-success";
import { SharedWork } from "../../common/shared-work";
import { orAborted } from "../../common/wait";
import type { Connection } from "../../contracts/connection";
import { withServer } from "../../render/kubeconfig-server";
import type { Remote } from "../ssh/remote";
import { TunnelHttpsAgent } from "../ssh/tunnel";
import { kubeApiFromConfig, type KubeApi } from "./api";

export const ADMIN_CONF = "/etc/kubernetes/admin.conf";
export const API_PORT = 6443;

const PROBE_MS = 5_000;
/** After this long without an answer the next control plane is asked, too. */
const SLOW_MS = 3_000;
/** For this long a control plane counts as ready after a successful probe. */
const READY_MS = 5_000;

interface Client {
  machine: Remote;
  api: KubeApi;
  readyUntil: number;
}

interface Choice {
  client: Client;
  /** Position of its control plane. */
  index: number;
}

/** Returns the SSH connection to a machine. */
interface MachineSource {
  get(connection: Connection): Remote;
}

interface ClientSettings {
  /** Factor for deadlines. */
  readonly patience: number;
  /** Whether requests that change something are refused. */
  readonly adopting?: boolean;
}

/** Clients of the Kubernetes API, one per control plane. */
export class KubeClients {
  /** Opened once for all callers. The deadline of one caller does not end the work for the others. */
  private readonly clients = new Map<string, SharedWork<Client>>();

  constructor(
    private readonly connections: MachineSource,
    private readonly settings: ClientSettings,
  ) {}

  /**
   * Returns the API of the first control plane whose API server is ready. When none is ready, returns the first one
   * that can be reached by SSH: its API server may be restarting, and requests are retried. The administrator's
   * kubeconfig is read from the machine and kept in memory only.
   * @throws StepError when no control plane can be reached
   */
  async api(controlPlanes: readonly Connection[], signal: AbortSignal): Promise<KubeApi> {
    return (await this.readyClient(controlPlanes, signal)).client.api;
  }

  /**
   * Returns the administrator's kubeconfig, a secret, from the first control plane whose API server is ready, or else
   * from the first one that can be reached.
   * @param endpoints the API server's address that the kubeconfig names, by control plane
   */
  async adminKubeconfig(
    controlPlanes: readonly Connection[],
    signal: AbortSignal,
    endpoints: readonly string[] = [],
  ): Promise<string> {
    const { client, index } = await this.readyClient(controlPlanes, signal);
    const content = await readAdminConf(client.machine, signal);
    const endpoint = endpoints[index];
    return endpoint === undefined ? content : withServer(content, endpoint);
  }

  /** Returns the client of the first control plane that is ready, and the position of that control plane. */
  private async readyClient(controlPlanes: readonly Connection[], signal: AbortSignal): Promise<Choice> {
    const isOnly = controlPlanes.length === 1;
    let fallback: Choice | undefined;
    return await this.firstOf(controlPlanes, signal, async (machine, index, limited) => {
      const client = await this.clientOf(machine, limited);
      if (isOnly || (await orAborted(isReady(client), limited))) return { client, index };
      fallback ??= { client, index };
      throw new Error(`${machine.label}: the API server is not ready`);
    }).catch((error: unknown) => {
      if (!fallback || signal.aborted) throw error;
      return fallback;
    });
  }

  /**
   * Returns what the API server of one control plane answers at a path that is no resource, such as `/metrics`.
   * @throws Error if it does not answer with 200
   */
  async readText(controlPlane: Connection, path: string, signal: AbortSignal): Promise<string> {
    const client = await this.clientOf(this.connections.get(controlPlane), signal);
    const { status, body } = await orAborted(get(client, path), signal);
    if (status === 200) return body;
    throw new Error(`${client.machine.label}: the API server answers ${path} with HTTP ${status}`);
  }

  /** Drops all clients: after `kubeadm init` or reset their certificates are invalid. */
  forget(): void {
    this.clients.clear();
  }

  /** Uses the control planes in their order. One that is slow to answer, as a stopped one is, does not delay others. */
  private async firstOf<T>(
    controlPlanes: readonly Connection[],
    signal: AbortSignal,
    use: (machine: Remote, index: number, signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const attempts = controlPlanes.map(
      (connection, index) => async (limited: AbortSignal) =>
        await use(this.connections.get(connection), index, limited),
    );
    const delayMs = SLOW_MS * this.settings.patience;
    return await firstSuccess(attempts, { signal, delayMs }).catch((error: unknown) => {
      signal.throwIfAborted();
      const failures = error instanceof AggregateError ? error.errors.map(messageOf) : [messageOf(error)];
      throw new StepError({
        step: "connecting to the Kubernetes API",
        cause: failures.join("; ") || "the cluster has no control plane",
        action: "start a control plane, and check `journalctl -u kubelet` on it",
      });
    });
  }

  /** The machine-id is part of the key: a rebuilt control plane has other certificates. */
  private async clientOf(machine: Remote, signal: AbortSignal): Promise<Client> {
    const key = `${machine.label}/${await machine.machineId(signal)}`;
    const client = this.clients.get(key) ?? new SharedWork((own) => openClient(machine, this.settings, own));
    this.clients.set(key, client);
    return await client.get(signal);
  }
}

async function readAdminConf(machine: Remote, signal: AbortSignal): Promise<string> {
  const { stdout } = await machine.read(`cat ${ADMIN_CONF}`, {
    step: "reading the administrator's kubeconfig",
    signal,
    action: "check that `kubeadm init` or `kubeadm join` has finished on this machine",
  });
  return stdout;
}

async function openClient(machine: Remote, settings: ClientSettings, signal: AbortSignal): Promise<Client> {
  const [{ KubeConfig }, text] = await Promise.all([import("@kubernetes/client-node"), readAdminConf(machine, signal)]);
  const config = new KubeConfig();
  config.loadFromString(text);
  const cluster = config.getCurrentCluster();
  if (!cluster) {
    throw new StepError({
      step: "reading the administrator's kubeconfig",
      machine: machine.label,
      cause: "it names no cluster",
      action: `restore ${ADMIN_CONF} with \`kubeadm init phase kubeconfig admin\``,
    });
  }
  // The API server's certificate is valid for the name `kubernetes`, whatever the address.
  config.clusters = [{ ...cluster, server: `https://127.0.0.1:${API_PORT}`, tlsServerName: "kubernetes" }];
  sendThrough(machine, config);
  if (settings.adopting) refuseChanges(config);
  return { machine, api: await kubeApiFromConfig(config, settings.patience), readyUntil: 0 };
}

/** Makes the API client send its requests, and open its streams to pods, through the machine's SSH connection. */
function sendThrough(machine: Remote, config: KubeConfig): void {
  const authenticate = config.applySecurityAuthentication.bind(config);
  config.applySecurityAuthentication = async (context) => {
    await authenticate(context);
    const { options } = context.getAgent() as Agent;
    context.setAgent(new TunnelHttpsAgent(machine, tlsOptionsOf(options)));
  };
  const applyOptions = config.applyToHTTPSOptions.bind(config);
  config.applyToHTTPSOptions = async (target: RequestOptions) => {
    await applyOptions(target);
    const { options } = target.agent as Agent;
    target.agent = new TunnelHttpsAgent(machine, { ...tlsOptionsOf(options), servername: "kubernetes" });
  };
}

/** Refuses requests that may change something. */
function refuseChanges(config: KubeConfig): void {
  const authenticate = config.applySecurityAuthentication.bind(config);
  config.applySecurityAuthentication = async (context) => {
    const method: string = context.getHttpMethod();
    if (method !== "GET") throw new Error(`${method} ${context.getUrl()}: an adoption changes nothing in the cluster`);
    await authenticate(context);
  };
}

function tlsOptionsOf({ ca, cert, key, servername }: AgentOptions): AgentOptions {
  return { ca, cert, key, servername };
}

/** Returns whether the API server of a control plane answers /readyz. Remembers a positive answer for a few seconds. */
async function isReady(client: Client): Promise<boolean> {
  if (Date.now() < client.readyUntil) return true;
  const status = await get(client, "/readyz").then(
    (answer) => answer.status,
    () => undefined,
  );
  if (status === 200) client.readyUntil = Date.now() + READY_MS;
  return status === 200;
}

async function get({ api }: Client, path: string): Promise<{ status: number | undefined; body: string }> {
  const options: RequestOptions = {};
  await api.config.applyToHTTPSOptions(options);
  const target = { agent: options.agent as Agent, host: "127.0.0.1", port: API_PORT, path, timeout: PROBE_MS };
  return await new Promise((resolve, reject) => {
    const sent = request(target, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (more: string) => (body += more));
      response.on("end", () => resolve({ status: response.statusCode, body }));
      response.on("error", reject);
    });
    sent.on("timeout", () => sent.destroy(new Error("no answer")));
    sent.on("error", reject);
    sent.end();
  });
}
