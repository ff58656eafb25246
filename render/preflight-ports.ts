import { BALANCER_PORT } from "./api-balancer";
import type { Expectations, Finding, PreflightMachine } from "./preflight-types";

/** Host port of the example pod. */
export const HELLO_PORT = 8080;

interface Port {
  port: number;
  /** The component that needs it. */
  owner: string;
}

/** Source: https://kubernetes.io/docs/reference/networking/ports-and-protocols/ */
const everyNode: readonly Port[] = [
  { port: 10250, owner: "the kubelet" },
  { port: 10256, owner: "kube-proxy" },
];

function controlPlanePorts(apiPort: number): readonly Port[] {
  return [
    { port: apiPort, owner: "the API server" },
    { port: 2379, owner: "etcd" },
    { port: 2380, owner: "etcd" },
    { port: 10257, owner: "the controller manager" },
    { port: 10259, owner: "the scheduler" },
  ];
}

/**
 * Checks that no other process uses the ports of a node. Nodes of this cluster are not checked: Kubernetes itself uses
 * their ports.
 */
export function portFindings(
  machine: PreflightMachine,
  { apiPort = 6443, bootstrap }: Expectations,
): Omit<Finding, "machine">[] {
  const { facts, role } = machine;
  // Parts of Kubernetes run after an unfinished init or join, which `membership` already reports.
  if (machine.instanceAlreadyMember || facts.kubernetesState !== "none") return [];
  const balancer = bootstrap === undefined ? [{ port: BALANCER_PORT, owner: "the API balancer" }] : [];
  const hello = bootstrap === "components" ? [{ port: HELLO_PORT, owner: "the example pod hello" }] : [];
  const controlPlane = role === "control-plane" ? [...controlPlanePorts(apiPort), ...hello] : [];
  return [...controlPlane, ...everyNode, ...balancer]
    .filter(({ port }) => facts.listeningPorts.includes(port))
    .map(({ port, owner }) => ({
      severity: "error",
      message: `port ${port}, which ${owner} needs, is in use`,
      action: `find the process that uses it (\`ss -ltnp 'sport = :${port}'\`) and stop it`,
    }));
}
