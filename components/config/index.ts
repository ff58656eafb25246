import type { z } from "zod";
import { loneBridge, loneControlPlane, onlyComponents, tokensOnce } from "./check-bootstrap";
import { countedHosts, etcdQuorum, hostCounts, hostsTwice, namedNodes, ways } from "./check-machines";
import { kindSettings, routedNetworks, strayControlPlanes } from "./check-kinds";
import { podRangeSize, podsPerNode, rangesOverlap, serviceRangeSize } from "./check-network";
import { kindOf } from "./kinds";
import { supportedVersions, versionSkew } from "./check-versions";
import { ConfigError, type Problem, genericMessage, problemsOf } from "../fields/problems";
import { type WrittenConfig, type WrittenPool, clusterSchema } from "./schema";
import { type ClusterConfig, type ConfigSurroundings, type CrossCheck, type CrossProblem, sshHosts } from "./types";
import { withWays } from "./ssh-routes";

export { ConfigError, renderProblem, type Problem } from "../fields/problems";
export { kindOf, machineSettings, sharedSettings } from "./kinds";
export {
  controlPlaneNames,
  listedControlPlanes,
  listedIn,
  machineName,
  madeNames,
  numberOf,
  numbersOf,
  poolsOf,
  type Pool,
} from "./pools";
export type { NodeOverrides } from "./schema";
export type { ClusterConfig, ConfigSurroundings } from "./types";

const crossChecks: readonly CrossCheck[] = [
  supportedVersions,
  versionSkew,
  etcdQuorum,
  rangesOverlap,
  serviceRangeSize,
  podRangeSize,
  podsPerNode,
  hostCounts,
  countedHosts,
  hostsTwice,
  ways,
  namedNodes,
  kindSettings,
  routedNetworks,
  strayControlPlanes,
  onlyComponents,
  loneControlPlane,
  loneBridge,
  tokensOnce,
];

/**
 * The program's configuration, checked and with every default filled in.
 * @param raw the project's structured configuration (`kubewright:network` and so on) as one object; undefined is all defaults
 * @throws ConfigError with everything that is wrong, each as `path: reason; next action`
 */
export function parseConfig(raw: unknown, surroundings: ConfigSurroundings): ClusterConfig {
  const given = raw ?? {};
  const parsed = clusterSchema.safeParse(given, { error: genericMessage });
  const problems = parsed.success ? [] : problemsOf(parsed.error);
  // What stands on its own is judged also when a field is wrong, so that a person does not learn the rest only at the next try.
  const written = parsed.success ? parsed.data : withoutFields(given, parsed.error.issues);
  const config = written && withCounts(withWays(written, surroundings));
  if (written && config)
    problems.push(
      ...newProblems(
        crossChecks.flatMap((check) => check(config, surroundings, written)),
        problems,
      ),
    );
  if (problems.length > 0 || config === undefined) throw new ConfigError(problems);
  return config;
}

/**
 * The configuration as if the wrong fields had not been given. Where one of them is required, its whole section is left out instead;
 * undefined when even that does not help.
 */
function withoutFields(raw: unknown, issues: readonly z.core.$ZodIssue[]): WrittenConfig | undefined {
  const copy: unknown = structuredClone(raw);
  for (const path of issues.flatMap(wrongPaths)) remove(copy, path);
  const withoutThem = clusterSchema.safeParse(copy);
  if (withoutThem.success) return withoutThem.data;
  for (const issue of withoutThem.error.issues) remove(copy, issue.path.slice(0, 1));
  return clusterSchema.safeParse(copy).data;
}

function wrongPaths(issue: z.core.$ZodIssue): PropertyKey[][] {
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

/** A cross-check that touches a field with a problem of its own judged the default, not what the person wrote. */
function newProblems(found: readonly CrossProblem[], known: readonly Problem[]): Problem[] {
  const wrong = known.map(({ path }) => path);
  return found
    .filter(({ path, about = [] }) => ![path, ...about].some((property) => wrong.some((bad) => touches(bad, property))))
    .map(({ path, reason, action }) => ({ path, reason, action }));
}

function touches(one: string, other: string): boolean {
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
    // The ladder's example is a pod of such an image.
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

/** Who lists hosts wants those; who lists none wants the pool to have a machine. */
function countOf({ count, hosts }: WrittenPool): number {
  return count ?? (hosts.length > 0 ? 0 : 1);
}
