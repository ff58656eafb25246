import { HELLO_PORT } from "./components/static-pod";
import type { Expectations, Finding, JudgedMachine } from "./preflight-types";

interface Port {
  port: number;
  /** Who needs it. */
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

/** Ports that Kubernetes needs and something else holds. On a node of ours they are held by Kubernetes itself, so it is not judged. */
export function portFindings(
  machine: JudgedMachine,
  { apiPort = 6443, bootstrap }: Expectations,
): Omit<Finding, "machine">[] {
  const { facts, role } = machine;
  // An unfinished init or join left parts of Kubernetes running: `membership` says so, and once is enough.
  if (machine.instanceAlreadyMember || facts.kubernetesState !== "none") return [];
  const hello = bootstrap === "components" ? [{ port: HELLO_PORT, owner: "the example hello" }] : [];
  const needed = role === "control-plane" ? [...controlPlanePorts(apiPort), ...hello, ...everyNode] : everyNode;
  return needed
    .filter(({ port }) => facts.listeningPorts.includes(port))
    .map(({ port, owner }) => ({
      severity: "error",
      message: `port ${port}, which ${owner} needs, is in use`,
      action: `find what holds it (\`ss -ltnp 'sport = :${port}'\`) and stop it`,
    }));
}
