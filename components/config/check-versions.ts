import { chooseVersion, isPatchOfListed } from "../../common/listed-versions";
import { gateRemovedIn, gatesInFlag, kubeletFlagRemovedIn } from "../../render/removed-settings";
import { findKubeletSkew } from "../../render/version-skew";
import { kindOf, sharedSettings } from "./kinds";
import { type Pool, heldMachines, listedIn, poolsOf, workerNames } from "./pools";
import type { ClusterConfig, ConfigEnvironment, CrossProblem } from "./types";

/**
 * Refuses versions that cannot be installed. Downloads have any patch release of a supported minor version; the
 * provider finds out whether they can be used and have it.
 */
export function supportedVersions(config: ClusterConfig, { kubernetesVersions }: ConfigEnvironment): CrossProblem[] {
  const versions = [{ path: "kubernetes.version", version: config.kubernetes.version }, ...poolVersions(config)];
  return versions.flatMap(({ path, version }): CrossProblem[] => {
    if (kubernetesVersions.includes(version)) return [];
    if (!isPatchOfListed(version, kubernetesVersions))
      return [
        { path, reason: `Kubewright cannot install version ${version}`, action: chooseVersion(kubernetesVersions) },
      ];
    return config.source === "modules" ? [modulesProblem(path, version, kubernetesVersions)] : [];
  });
}

/** Versions of pools and of single workers that are not the cluster's, with their paths. */
function poolVersions(config: ClusterConfig): { path: string; version: string }[] {
  return poolsOf(config).flatMap((pool) => {
    const { path, version } = pool;
    const machines = Object.entries(heldMachines(config, pool));
    return [
      ...(version === undefined ? [] : [{ path: `${path}.version`, version }]),
      ...machines.map(([name, held]) => ({ path: `kubernetes.hold.${name}`, version: held })),
    ];
  });
}

function modulesProblem(path: string, version: string, listed: readonly string[]): CrossProblem {
  const reason = `version ${version} cannot be built from modules, because versions.yaml does not list it`;
  const action = `use one of ${listed.join(", ")}, or set source to official or to the URL of a mirror`;
  return { path, reason, action, about: ["source"] };
}

/** Returns a problem for each pool with additional machines that does not exist. */
export function unknownPools(config: ClusterConfig): CrossProblem[] {
  const names = poolsOf(config).map(({ name }) => name);
  return Object.keys(config.kubernetes.additional)
    .filter((name) => !names.includes(name))
    .map((name) => {
      const path = `kubernetes.additional.${name}`;
      return {
        path,
        reason: `there is no pool named ${name}`,
        action: `use ${names.join(" or ")}, or remove ${path}`,
      };
    });
}

/** Refuses a paused upgrade of pools and workers that do not exist. */
export function heldPools(config: ClusterConfig): CrossProblem[] {
  const pools = poolsOf(config).map(({ name }) => name);
  const workers = workerNames(config);
  return Object.keys(config.kubernetes.hold)
    .filter((name) => !pools.includes(name) && !workers.includes(name))
    .map((name) => {
      const path = `kubernetes.hold.${name}`;
      return {
        path,
        reason: `there is no pool or worker named ${name}`,
        action: `use ${pools.join(" or ")} or the name of a worker, or remove ${path}`,
      };
    });
}

/** Refuses canaries that are no workers. */
export function canaries(config: ClusterConfig): CrossProblem[] {
  const workers = workerNames(config);
  return (["canary", "canaryAfter"] as const).flatMap((property) =>
    config.kubernetes[property].flatMap((name, index) =>
      workers.includes(name)
        ? []
        : [
            {
              path: `kubernetes.${property}[${index}]`,
              reason: `there is no worker named ${name}`,
              action: `use ${workers.join(" or ") || "no canary"}, or remove kubernetes.${property}[${index}]`,
            },
          ],
    ),
  );
}

/** Refuses to replace machines that Kubewright does not create. */
export function replacedMachines(config: ClusterConfig): CrossProblem[] {
  return poolsOf(config)
    .filter((pool) => pool.upgrade === "replace")
    .filter((pool) => !isReplaceable(config, pool))
    .map(({ path }) => ({
      path: `${path}.upgrade`,
      reason: "the pool has machines that Kubewright did not create, so it cannot replace them",
      action: "use inPlace",
      about: ["machines", path],
    }));
}

function isReplaceable(config: ClusterConfig, pool: Pool): boolean {
  const kind = kindOf(config, pool);
  return kind.makes && sharedSettings(config, kind).vagrantfile === undefined && listedIn(config, pool).length === 0;
}

/** Returns why the configuration does not fit another version of the cluster. */
export function versionProblems(config: ClusterConfig, version: string): CrossProblem[] {
  const changed = { ...config, kubernetes: { ...config.kubernetes, version } };
  return [...versionSkew(changed), ...removedSettings(changed)];
}

/** Refuses kubelets that are newer than the API server or too old for it. */
export function versionSkew(config: ClusterConfig): CrossProblem[] {
  return poolVersions(config).flatMap(({ path, version }) => {
    const problem = findKubeletSkew(version, config.kubernetes.version);
    return problem ? [{ path, ...problem, about: ["kubernetes.version"] }] : [];
  });
}

/** Refuses flags and feature gates that the configured version no longer has: the component would exit. */
export function removedSettings(config: ClusterConfig): CrossProblem[] {
  const { kubernetes, controlPlane } = config;
  const { version } = kubernetes;
  const nodes = [
    { path: "controlPlane", version, settings: controlPlane },
    ...poolsOf(config).map((pool) => ({ path: pool.path, version: pool.version ?? version, settings: pool })),
  ];
  const components = Object.entries(controlPlane.extraArgs).flatMap(([component, flags]) =>
    component === "kubelet" ? [] : removedGates(`controlPlane.extraArgs.${component}`, flags, version),
  );
  return [...components, ...nodes.flatMap(({ path, settings, version: own }) => removedOfNode(path, settings, own))];
}

type Flags = Readonly<Record<string, string>>;
type KubeletSettings = Pick<ClusterConfig["workers"], "kubelet"> & { extraArgs: { kubelet: Flags } };

function removedOfNode(path: string, { kubelet, extraArgs }: KubeletSettings, version: string): CrossProblem[] {
  const gates = Object.keys(kubelet.featureGates ?? {}).flatMap((gate) =>
    removedIn(`${path}.kubelet.featureGates.${gate}`, `the feature gate ${gate}`, gateRemovedIn(gate, version)),
  );
  const flagsPath = `${path}.extraArgs.kubelet`;
  const flags = Object.keys(extraArgs.kubelet).flatMap((flag) =>
    removedIn(`${flagsPath}.${flag}`, `the kubelet's flag --${flag}`, kubeletFlagRemovedIn(flag, version)),
  );
  return [...gates, ...flags, ...removedGates(flagsPath, extraArgs.kubelet, version)];
}

function removedGates(path: string, flags: Flags, version: string): CrossProblem[] {
  return gatesInFlag(flags["feature-gates"] ?? "").flatMap((gate) =>
    removedIn(`${path}.feature-gates`, `the feature gate ${gate}`, gateRemovedIn(gate, version)),
  );
}

function removedIn(path: string, what: string, release: string | undefined): CrossProblem[] {
  if (release === undefined) return [];
  const reason = `Kubernetes ${release} removed ${what}, and a component that gets it does not start`;
  return [{ path, reason, action: "leave it out", about: ["kubernetes.version"] }];
}
