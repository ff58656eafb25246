import { isIPv6 } from "node:net";
import type { NodeFiles } from "./node-files";
import { template } from "./template";

/** Port of the balancer on each node. On control planes, the API server itself listens on 6443. */
export const BALANCER_PORT = 7443;
export const BALANCER_UNIT = "kubewright-api-balancer.service";
/** The balancer's socket for commands: https://docs.haproxy.org/2.6/management.html#9.3 */
export const BALANCER_SOCKET = "/run/kubewright-api-balancer.sock";

/** Port on which a control plane answers the balancers' agent checks while it is taken out of them. */
export const AGENT_PORT = 7444;

const FOLDER = "/etc/kubewright/api-balancer";
export const BALANCER_CONFIG = `${FOLDER}/haproxy.cfg`;
/** Script that takes the control plane on which it runs out of the balancers of all nodes, and puts it back. */
export const BALANCER_ANSWER = `${FOLDER}/answer.sh`;

/** A cluster of this size has its API servers checked less often: each check is a TLS handshake. */
const MANY_NODES = 100;

export interface BalancedServer {
  /** Name of the control plane. */
  name: string;
  /** Address at which nodes reach its API server, without the port. */
  address: string;
}

export interface BalancerOptions {
  /** Name of the cluster. */
  cluster: string;
  servers: readonly BalancedServer[];
  /** Number of nodes, each of which checks all control planes. */
  nodes: number;
  /** Port of the API servers. @default 6443 */
  apiPort?: number;
}

/** Returns the name of a cluster's API server. It resolves to the balancer on each node, and never changes. */
export function apiName(cluster: string): string {
  const label = cluster
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return `api.${label.slice(0, 63).replace(/-+$/, "") || "cluster"}.internal`;
}

/** Returns the address at which the nodes of a cluster reach its API server: `host:port`. */
export function apiEndpoint(cluster: string): string {
  return `${apiName(cluster)}:${BALANCER_PORT}`;
}

/** Renders the balancer's unit, its configuration, and its scripts. */
export function balancerFiles(options: BalancerOptions): NodeFiles {
  const port = String(BALANCER_PORT);
  const readable = (content: string) => ({ content, mode: 0o644 });
  return {
    [BALANCER_ANSWER]: readable(template("api-balancer/answer.sh", { PORT: String(AGENT_PORT) })),
    [BALANCER_CONFIG]: readable(balancerConfig(options)),
    [`${FOLDER}/prepare.sh`]: readable(template("api-balancer/prepare.sh", { NAME: apiName(options.cluster) })),
    [`/etc/systemd/system/${BALANCER_UNIT}`]: readable(template(`api-balancer/${BALANCER_UNIT}`, { PORT: port })),
  };
}

function balancerConfig({ servers, nodes, apiPort = 6443 }: BalancerOptions): string {
  const isChecked = servers.length > 1;
  const lines = servers.map(({ name, address }) => `    server ${name} ${hostOf(address)}:${apiPort}`);
  return template("api-balancer/haproxy.cfg", {
    PORT: String(BALANCER_PORT),
    SERVERS: (isChecked ? servers.map(({ name }, index) => `${lines[index]} ${followChecks(name)}`) : lines).join("\n"),
    CHECKS: isChecked ? checks(lines, nodes) : "",
  });
}

/** A control plane that fails its checks loses its connections immediately, so that clients connect to another one. */
function followChecks(name: string): string {
  return `track checks/${name} on-marked-down shutdown-sessions`;
}

/** A single control plane has no checks: there is no other one to use, so its state is best reported by itself. */
function checks(servers: readonly string[], nodes: number): string {
  return template("api-balancer/checks.cfg", {
    INTER: nodes > MANY_NODES ? "3s" : "1s",
    AGENT_PORT: String(AGENT_PORT),
    SERVERS: servers.join("\n"),
  });
}

function hostOf(address: string): string {
  return isIPv6(address) ? `[${address}]` : address;
}
