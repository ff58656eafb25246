import type * as pulumi from "@pulumi/pulumi";
import { RunError, runtime } from "@pulumi/pulumi";
import { optional } from "../common/optional";
import { DEFAULT_RUNTIME } from "../common/runtime";
import { apiServerFiles } from "../render/api-server-files";
import { refusedApiServerFlags, refusedOidcFlags } from "../render/components/refused-flags";
import type { MachineRole } from "../render/preflight";
import { planProblems } from "../render/preflight-plan";
import { Artifacts, type ArtifactsArgs } from "../sdk/local";
import type { ClusterArgs } from "./nodes/cluster-arguments";
import { type Machine, controllerArch } from "./machines/machine";
import { hasAnyCommand } from "./nodes/commands";
import { securityOf } from "./nodes/security";
import { type ControlPlaneSettings, DEFAULT_DRAIN, DEFAULT_NETWORK, DEFAULT_TIMEOUTS } from "./nodes/settings";
import { assertCommandsRun } from "./steps/commands";
import { ClusterMember, type ClusterPlan, type MemberGroups } from "./steps/member";
import { Preflights } from "./steps/preflights";

/**
 * Fills in the defaults of a cluster's arguments, and checks what a program could have put together wrongly.
 * @throws pulumi.RunError with all problems of the machines and the network ranges.
 */
export function planCluster(
  name: string,
  args: ClusterArgs,
  cluster: pulumi.Resource,
  groupsOf: (member: ClusterMember) => MemberGroups,
): ClusterPlan {
  const {
    version,
    source = "auto",
    runtime: containerRuntime = DEFAULT_RUNTIME,
    extras,
    controlPlane = {},
    components,
  } = args;
  const network = { ...DEFAULT_NETWORK, ...args.network };
  const security = securityOf(args.security);
  refuseImpossible(name, args, network);
  const resourceName = resourceNames(name, args.prefixed);
  const ownRuntime = containerRuntime === DEFAULT_RUNTIME ? undefined : containerRuntime;
  const settings = { source, ...optional({ runtime: ownRuntime, extras: extras || undefined }) };
  let preflights: Preflights | undefined;
  const plan: ClusterPlan = {
    name,
    version,
    runtime: containerRuntime,
    network,
    timeouts: { ...DEFAULT_TIMEOUTS, ...args.timeouts },
    drain: { ...DEFAULT_DRAIN, ...args.drain },
    controlPlane,
    soak: args.soak ?? 0,
    apiServer: apiServerFiles(security.apiServer),
    oidc: security.apiServer.oidc,
    kubeletServing: security.kubeletServing,
    certificateKeys: security.certificateKeys,
    ...optional({
      components,
      encryption: security.encryption,
      rollingUpdate: args.rollingUpdate ?? args.turns,
      restoreFrom: args.restoreFrom,
      backup: args.backup,
    }),
    cluster,
    members: [] as never,
    groupsOf,
    resourceName,
    artifacts: artifactSets(cluster, resourceName, settings),
    get preflights() {
      preflights ??= new Preflights(plan);
      return preflights;
    },
  };
  return Object.assign(plan, { members: membersOf(plan, args) });
}

/** Creates one set of artifacts for each version and architecture, when a machine first needs it. */
function artifactSets(
  cluster: pulumi.Resource,
  resourceName: (name: string) => string,
  settings: Omit<ArtifactsArgs, "kubernetes" | "arch">,
): ClusterPlan["artifacts"] {
  const sets = new Map<string, Artifacts>();
  return (kubernetes, machine) => {
    const arch = machine?.arch ?? controllerArch();
    const key = `kubernetes-${kubernetes}-${arch}`;
    const known = sets.get(key);
    if (known) return known;
    const created = new Artifacts(resourceName(key), { ...settings, kubernetes, arch }, { parent: cluster });
    sets.set(key, created);
    return created;
  };
}

/** Names of the clusters of a program, by its connection to the engine. */
const clustersOfPrograms = new WeakMap<object, string[]>();

/**
 * Names the resources that have no cluster in their name. Those of the first cluster keep the names that they have in
 * existing stacks; those of further clusters begin with the cluster's name.
 */
function resourceNames(cluster: string, prefixed?: boolean): (name: string) => string {
  const engine: object = runtime.getMonitor() ?? clustersOfPrograms;
  const clusters = clustersOfPrograms.get(engine) ?? [];
  clustersOfPrograms.set(engine, [...clusters, cluster]);
  return !(prefixed ?? clusters.length > 0) ? (name) => name : (name) => `${cluster}-${name}`;
}

function membersOf(plan: ClusterPlan, { controlPlanes, pools = [] }: ClusterArgs): ClusterPlan["members"] {
  const [first, ...others] = controlPlanes;
  if (!first) throw new RunError(`cluster ${plan.name}: controlPlanes is empty; give the cluster at least one machine`);
  const controlPlane = (machine: Machine) => new ClusterMember(plan, machine, "control-plane");
  const workers = pools.flatMap((pool) =>
    pool.machines.map((machine) => new ClusterMember(plan, machine, "worker", pool)),
  );
  return [controlPlane(first), ...others.map(controlPlane), ...workers];
}

/** Checks at preview what the project's own configuration checks too: a program may use the component without it. */
function refuseImpossible(
  name: string,
  { controlPlanes, pools = [], components, controlPlane, security }: ClusterArgs,
  { podCidr, serviceCidr }: { podCidr: string; serviceCidr: string },
): void {
  const withRole = (role: MachineRole) => (machine: Machine) => ({ name: machine.name, role });
  const machines = [
    ...controlPlanes.map(withRole("control-plane")),
    ...pools.flatMap((pool) => pool.machines).map(withRole("worker")),
  ];
  const own = controlPlane?.extraArgs?.apiServer ?? {};
  const oidc = security?.oidc ?? [];
  const flags = components ? refusedApiServerFlags(own) : oidc.length > 0 ? refusedOidcFlags(own) : [];
  const withCommands = components ? pools.filter(({ commands = {} }) => hasAnyCommand(commands)) : [];
  const problems = [
    ...planProblems({ machines, podCidr, serviceCidr }),
    ...withCommands.map((pool) => ({
      path: `pool ${pool.name}: commands`,
      reason: "a cluster that is built by components runs none",
    })),
    ...endpointProblems(controlPlane?.endpoint),
    ...flags.map(({ flag, reason }) => ({ path: `controlPlane.extraArgs.apiServer.${flag}`, reason })),
  ];
  if (problems.length === 0) return assertCommandsRun(pools);
  const lines = problems.map(({ path, reason }) => `  ${path}: ${reason}`);
  throw new RunError(`cluster ${name}:\n${lines.join("\n")}`);
}

/** Programs without types, and those in other languages, may leave out the address of a load balancer. */
function endpointProblems(endpoint: ControlPlaneSettings["endpoint"]): { path: string; reason: string }[] {
  if (typeof endpoint !== "object" || endpoint.kind !== "loadBalancer") return [];
  if ((endpoint.address as unknown) !== undefined) return [];
  const reason =
    "is missing; set controlPlane.endpoint to apiEndpoint of the component that creates the machines, " +
    "or use the kind external";
  return [{ path: "controlPlane.endpoint.address", reason }];
}
