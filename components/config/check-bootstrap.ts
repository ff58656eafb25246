import { refusedApiServerFlags, refusedOidcFlags } from "../../render/components/refused-flags";
import { hasAnyCommand } from "../nodes/commands";
import type { ClusterConfig, CrossProblem } from "./types";
import { poolsOf } from "./pools";

/** Refuses settings that only a cluster built by components has. */
export function onlyComponents(config: ClusterConfig): CrossProblem[] {
  if (config.bootstrap === "components") return [];
  const { rung, controlPlane, network, auth, admission } = config;
  const settings: [boolean, string, string][] = [
    [rung !== undefined, "rung", "kubeadm always builds the whole cluster"],
    [controlPlane.runAs === "systemd", "controlPlane.runAs", "kubeadm runs the control plane as static pods"],
    [
      network.plugin === "bridge",
      "network.plugin",
      "a bridge is only available to clusters that are built by components",
    ],
    [auth.staticTokens.length > 0, "auth.staticTokens", "the API server of kubeadm reads no token file"],
    [
      admission.disable.length > 0,
      "admission.disable",
      "with kubeadm, set controlPlane.extraArgs.apiServer.disable-admission-plugins instead",
    ],
  ];
  return settings
    .filter(([isSet]) => isSet)
    .map(([, path, reason]) => ({
      path,
      reason,
      action: "leave it out, or set bootstrap: components",
      about: ["bootstrap"],
    }));
}

/** Refuses settings that only a cluster of kubeadm has. */
export function onlyKubeadm(config: ClusterConfig): CrossProblem[] {
  const { bootstrap, security, controlPlane } = config;
  if (bootstrap !== "components") return [];
  const { audit, podSecurity, kubeletServingCertificates, certificateKeys } = security;
  const { enforce, warn = enforce, audit: marked = enforce } = podSecurity;
  const settings: [boolean, string][] = [
    [controlPlane.emulate !== undefined, "controlPlane.emulate"],
    [audit.enabled, "security.audit.enabled"],
    [[enforce, warn, marked].some((level) => level !== "privileged"), "security.podSecurity"],
    [kubeletServingCertificates !== "self-signed", "security.kubeletServingCertificates"],
    [certificateKeys !== "RSA-2048", "security.certificateKeys"],
    ...poolsOf(config).map(({ commands, path }): [boolean, string] => [hasAnyCommand(commands), `${path}.commands`]),
  ];
  return settings
    .filter(([isSet]) => isSet)
    .map(([, path]) => ({
      path,
      reason: "is not available to clusters that are built by components",
      action: "leave it out, or set bootstrap: kubeadm",
      about: ["bootstrap"],
    }));
}

/** Refuses settings of containerd where the nodes run Docker, which has its own containerd. */
export function containerdOfDocker(config: ClusterConfig): CrossProblem[] {
  if (config.runtime !== "docker") return [];
  return [{ path: "controlPlane", ...config.controlPlane }, ...poolsOf(config)]
    .filter(({ containerd }) => Object.keys(containerd).length > 0)
    .map(({ path }) => ({
      path: `${path}.containerd`,
      reason: "has no effect: with runtime: docker the nodes have no containerd of Kubewright",
      action: "leave it out, or set runtime: containerd",
      about: ["runtime"],
    }));
}

/** Refuses several control planes that are built by components. */
export function singleControlPlane({ bootstrap, controlPlane: { count } }: ClusterConfig): CrossProblem[] {
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

/** Refuses a bridge as the network of several machines. */
export function bridgeOnOneMachine(config: ClusterConfig): CrossProblem[] {
  const { bootstrap, network, controlPlane, machines } = config;
  if (bootstrap !== "components" || network.plugin !== "bridge") return [];
  const listed = machines.kind === "docker" ? poolsOf(config).reduce((sum, pool) => sum + pool.hosts.length, 0) : 0;
  const count = controlPlane.count + listed + poolsOf(config).reduce((sum, pool) => sum + pool.count, 0);
  if (count === 1) return [];
  return [
    {
      path: "network.plugin",
      reason: `a bridge only connects pods on one machine, and the cluster has ${count}`,
      action: "use flannel, or set workers.count: 0",
      about: ["workers.count", "pools", "machines", "controlPlane.count"],
    },
  ];
}

/** Refuses flags that the API server does not accept beside those of the ladder. */
export function ladderFlags({ bootstrap, controlPlane }: ClusterConfig): CrossProblem[] {
  if (bootstrap !== "components") return [];
  return refusedApiServerFlags(controlPlane.extraArgs.apiServer).map(({ flag, reason }) => ({
    path: `controlPlane.extraArgs.apiServer.${flag}`,
    reason,
    action: "leave it out, or set bootstrap: kubeadm",
    about: ["bootstrap"],
  }));
}

/** Refuses flags of OpenID Connect beside the setting, which has the same purpose. */
export function oidcFlags({ security, controlPlane }: ClusterConfig): CrossProblem[] {
  if (security.oidc.length === 0) return [];
  return refusedOidcFlags(controlPlane.extraArgs.apiServer).map(({ flag, reason }) => ({
    path: `controlPlane.extraArgs.apiServer.${flag}`,
    reason,
    action: "leave it out",
    about: ["security.oidc"],
  }));
}

/** Refuses a token that two users have: the API server would use the first line of its token file. */
export function tokensOnce({ auth: { staticTokens } }: ClusterConfig): CrossProblem[] {
  return staticTokens.flatMap(({ token }, index) => {
    const first = staticTokens.findIndex((other) => other.token === token);
    return first < index
      ? [
          {
            path: `auth.staticTokens[${index}].token`,
            reason: `is also the token of auth.staticTokens[${first}]`,
            action: "give each user another token",
          },
        ]
      : [];
  });
}
