import type { ClusterConfig, CrossProblem } from "./types";
import { poolsOf } from "./pools";

/** What only a cluster that is built by components has. */
export function onlyComponents(config: ClusterConfig): CrossProblem[] {
  if (config.bootstrap === "components") return [];
  const { rung, controlPlane, network, auth, admission } = config;
  const found: [boolean, string, string][] = [
    [rung !== undefined, "rung", "kubeadm brings up everything at once"],
    [controlPlane.runAs === "systemd", "controlPlane.runAs", "kubeadm runs the control plane as static pods"],
    [network.plugin === "bridge", "network.plugin", "a bridge is the network of a machine that is built by components"],
    [auth.staticTokens.length > 0, "auth.staticTokens", "the API server that kubeadm sets up reads no token file"],
    [
      admission.disable.length > 0,
      "admission.disable",
      "with kubeadm it is controlPlane.extraArgs.apiServer.disable-admission-plugins",
    ],
  ];
  return found
    .filter(([given]) => given)
    .map(([, path, reason]) => ({
      path,
      reason,
      action: "leave it out, or set bootstrap: components",
      about: ["bootstrap"],
    }));
}

export function loneControlPlane({ bootstrap, controlPlane: { count } }: ClusterConfig): CrossProblem[] {
  if (bootstrap !== "components" || count <= 1) return [];
  return [
    {
      path: "controlPlane.count",
      reason: `${count} control planes cannot be built by components`,
      action: "use 1, or bootstrap: kubeadm",
      about: ["bootstrap"],
    },
  ];
}

/** A bridge ends at its machine. */
export function loneBridge(config: ClusterConfig): CrossProblem[] {
  const { bootstrap, network, controlPlane, machines } = config;
  if (bootstrap !== "components" || network.plugin !== "bridge") return [];
  const beside = machines.kind === "docker" ? poolsOf(config).reduce((sum, pool) => sum + pool.hosts.length, 0) : 0;
  const count = controlPlane.count + beside + poolsOf(config).reduce((sum, pool) => sum + pool.count, 0);
  if (count === 1) return [];
  return [
    {
      path: "network.plugin",
      reason: `a bridge ends at its machine, and there are ${count}`,
      action: "use flannel, or set workers.count: 0",
      about: ["workers.count", "pools", "machines", "controlPlane.count"],
    },
  ];
}

/** One file has them all: a token or a user twice would be decided by the order of its lines. */
export function tokensOnce({ auth: { staticTokens } }: ClusterConfig): CrossProblem[] {
  return staticTokens.flatMap(({ token }, index) => {
    const first = staticTokens.findIndex((other) => other.token === token);
    return first < index
      ? [
          {
            path: `auth.staticTokens[${index}].token`,
            reason: `is that of auth.staticTokens[${first}] too`,
            action: "give each user a token of its own",
          },
        ]
      : [];
  });
}
