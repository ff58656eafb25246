import type { z } from "zod";
import {
  bridgeOnOneMachine,
  containerdOfDocker,
  ladderFlags,
  oidcFlags,
  onlyComponents,
  onlyKubeadm,
  singleControlPlane,
  tokensOnce,
} from "./check-bootstrap";
import { backupAccess, backupBySftp, backupOfKubeadm, backupSchedule } from "./check-backup";
import { countedHosts, etcdQuorum, hostCounts, hostsTwice, nodeOverrides, sshRoutes } from "./check-machines";
import { endpointAddress, endpointLoadBalancer } from "./check-endpoint";
import { kindSettings, routedNetworks, strayControlPlanes } from "./check-kinds";
import { podRangeSize, podsPerNode, rangesOverlap, serviceRangeSize } from "./check-network";
import { downloadsOfModules } from "./check-source";
import { kindOf } from "./kinds";
import { additionalMachines, surges } from "./check-surge";
import {
  canaries,
  heldPools,
  removedSettings,
  replacedMachines,
  supportedVersions,
  versionSkew,
} from "./check-versions";
import { ConfigError, type Problem, genericMessage, problemsOf } from "../fields/problems";
import { type WrittenConfig, type WrittenPool, clusterSchema } from "./schema";
import { type ClusterConfig, type ConfigEnvironment, type CrossCheck, type CrossProblem, sshHosts } from "./types";
import { withoutRemovedNames } from "./removed-names";
import { withResolvedRoutes } from "./ssh-routes";

export { ConfigError, renderProblem, type Problem } from "../fields/problems";
export { kindOf, machineSettings, sharedSettings } from "./kinds";
export {
  additionalNames,
  controlPlaneNames,
  heldMachines,
  listedControlPlanes,
  listedIn,
  machineName,
  madeNames,
  numberOf,
  numbersOf,
  poolMachineNames,
  workerNames,
  poolsOf,
  type Pool,
} from "./pools";
export { versionProblems } from "./check-versions";
export { isUpgradeEnding } from "./ended-upgrade";
export { repositoryAddress, type BackupSettings } from "./backup";
export type { NodeOverrides } from "./schema";
export type { ClusterConfig, ConfigEnvironment } from "./types";

const crossChecks: readonly CrossCheck[] = [
  supportedVersions,
  versionSkew,
  heldPools,
  canaries,
  replacedMachines,
  surges,
  additionalMachines,
  removedSettings,
  etcdQuorum,
  rangesOverlap,
  serviceRangeSize,
  podRangeSize,
  podsPerNode,
  hostCounts,
  countedHosts,
  hostsTwice,
  sshRoutes,
  nodeOverrides,
  kindSettings,
  routedNetworks,
  strayControlPlanes,
  endpointAddress,
  endpointLoadBalancer,
  onlyComponents,
  onlyKubeadm,
  containerdOfDocker,
  singleControlPlane,
  bridgeOnOneMachine,
  tokensOnce,
  ladderFlags,
  oidcFlags,
  downloadsOfModules,
  backupOfKubeadm,
  backupAccess,
  backupBySftp,
  backupSchedule,
];

/**
 * Checks the project's configuration and fills in every default.
 * @param raw The sections (`kubewright:network` and so on) as one object; undefined for all defaults.
 * @throws ConfigError with all problems, each as `path: reason; action`.
 */
export function parseConfig(raw: unknown, environment: ConfigEnvironment): ClusterConfig {
  const sections = withFormerForms(raw ?? {});
  const parsed = clusterSchema.safeParse(sections, { error: genericMessage });
  const problems = parsed.success ? [] : problemsOf(parsed.error);
  // Valid fields are checked together even if others are wrong, so that the user sees all problems in one run.
  const written = parsed.success ? parsed.data : withoutInvalid(sections, parsed.error.issues);
  const config = written && withoutRemovedNames(withCounts(withResolvedRoutes(written, environment)));
  if (written && config)
    problems.push(
      ...withoutInvalidFields(
        crossChecks.flatMap((check) => check(config, environment, written)),
        problems,
      ),
    );
  if (problems.length > 0 || config === undefined) throw new ConfigError(problems);
  return config;
}

/** Translates forms of properties that earlier versions had. */
function withFormerForms(raw: unknown): unknown {
  if (!isObject(raw) || !isObject(raw.controlPlane) || typeof raw.controlPlane.endpoint !== "string") return raw;
  const { controlPlane } = raw;
  return { ...raw, controlPlane: { ...controlPlane, endpoint: { kind: "external", address: controlPlane.endpoint } } };
}

/**
 * Parses the configuration without its invalid fields. If one of them is required, its whole section is left out.
 * Returns undefined if the rest is still invalid.
 */
function withoutInvalid(raw: unknown, issues: readonly z.core.$ZodIssue[]): WrittenConfig | undefined {
  const copy: unknown = structuredClone(raw);
  for (const path of issues.flatMap(invalidPaths)) remove(copy, path);
  const remaining = clusterSchema.safeParse(copy);
  if (remaining.success) return remaining.data;
  for (const issue of remaining.error.issues) remove(copy, issue.path.slice(0, 1));
  return clusterSchema.safeParse(copy).data;
}

function invalidPaths(issue: z.core.$ZodIssue): PropertyKey[][] {
  return issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
}

function remove(root: unknown, path: readonly PropertyKey[]): void {
  const parent = path.slice(0, -1).reduce<unknown>((node, key) => (isObject(node) ? node[key] : undefined), root);
  const last = path.at(-1);
  if (isObject(parent) && last !== undefined) delete parent[last];
}

function isObject(value: unknown): value is Record<PropertyKey, unknown> {
  return typeof value === "object" && value !== null;
}

/** Leaves out problems that concern an invalid field: the check has seen its default, not what the user wrote. */
function withoutInvalidFields(crossProblems: readonly CrossProblem[], fieldProblems: readonly Problem[]): Problem[] {
  const invalid = fieldProblems.map(({ path }) => path);
  return crossProblems
    .filter(
      ({ path, about = [] }) =>
        ![path, ...about].some((property) => invalid.some((field) => overlaps(field, property))),
    )
    .map(({ path, reason, action }) => ({ path, reason, action }));
}

/** Whether one path is inside the other, or the same. */
function overlaps(one: string, other: string): boolean {
  return (
    one === other ||
    [
      [one, other],
      [other, one],
    ].some(([long = "", short = ""]) => long.startsWith(`${short}.`) || long.startsWith(`${short}[`))
  );
}

function withCounts(written: WrittenConfig): ClusterConfig {
  const hosts = sshHosts(written);
  const listed = (role: string): number => hosts.filter((host) => host.role === role).length;
  const makes = (own: Pick<WrittenPool, "machines">) => kindOf(written, own).makes;
  const { controlPlane, workers } = written;
  return {
    ...written,
    // The ladder's example is a pod with one of these images.
    extras: written.extras || written.bootstrap === "components",
    controlPlane: { ...controlPlane, count: makes(controlPlane) ? (controlPlane.count ?? 1) : listed("control-plane") },
    workers: { ...workers, count: makes(workers) ? (workers.count ?? 2) : listed("worker") + workers.hosts.length },
    pools: Object.fromEntries(
      Object.entries(written.pools).map(([name, pool]) => [
        name,
        { ...pool, count: makes(pool) ? countOf(pool) : pool.hosts.length },
      ]),
    ),
  };
}

/** Listed hosts set the count; otherwise the default applies. */
function countOf({ count, hosts }: WrittenPool): number {
  return count ?? (hosts.length > 0 ? 0 : 1);
}
