import type { Stack } from "@pulumi/pulumi/automation";
import { loadVersions } from "../../artifacts";
import { StepError } from "../../common/errors";
import { chooseVersion } from "../../common/listed-versions";
import { type ClusterConfig, poolsOf, renderProblem, versionProblems } from "../../components/config";
import { previousMinor } from "../../render/emulated-version";
import { clusterApi } from "../engine/cluster-api";
import type { Session } from "../engine/session";
import type { ClusterStatus } from "./cluster-status";
import { readDeprecatedApis, readDisks, readObstacles, readUpgradeStatus } from "./upgrade-facts";
import { heldNodes } from "./upgrade-hold";
import { splitNodes } from "./upgrade-nodes";
import { ownCanaries } from "./upgrade-pause";
import { planUpgrade, readApiServers, type UpgradeFacts, type UpgradePlan } from "./upgrade-plan";
import { currentRecord } from "./upgrade-record";
import { configuredSurges } from "./upgrade-surge";
import { assertTargetInstallable, findEtcdPath, newestVersion } from "./upgrade-target";

export interface Cluster {
  stack: Stack;
  config: ClusterConfig;
}

/** What the user asks for. */
export interface UpgradeRequest {
  /** Version of Kubernetes. @default the newest one, or that of the recorded upgrade where it is resumed */
  to?: string | undefined;
  /** Whether a recorded upgrade goes on, and a pause ends. */
  isResumed: boolean;
  /** Worker that changes first. @default the configured ones */
  canary?: string | undefined;
  /** Seconds for which the cluster must stay healthy. @default that of the configuration */
  soak?: number | undefined;
}

/**
 * Reads a cluster and plans its upgrade.
 * @throws StepError if the version cannot be installed, or there is no way to it
 */
export async function readPlan(
  { stack, config }: Cluster,
  request: UpgradeRequest,
  session: Session,
): Promise<{ plan: UpgradePlan; facts: UpgradeFacts; status: ClusterStatus; etcdPath: string[] }> {
  const supported = Object.keys(loadVersions().kubernetes.supported);
  const { version } = config.kubernetes;
  const recorded = currentRecord(config.kubernetes)?.to ?? version;
  const to = request.to ?? (request.isResumed ? recorded : newestVersion([version, ...supported]));
  await assertTargetInstallable(to, config, session.signal);
  const api = await clusterApi(stack, session);
  const status = await readUpgradeStatus(api, stack, session);
  const [servers, deprecated, obstacles, disks] = await Promise.all([
    readApiServers(api, session.signal),
    readDeprecatedApis(stack, session),
    readObstacles(api, { stack: stack.name, status, signal: session.signal }),
    readDisks(stack, session),
  ]);
  const apiServers = servers.map((server) => server.version);
  const settings = settingsOf(config, request, to);
  const { configured: nodes, others } = splitNodes(config, status.nodes);
  const planned = { ...status, nodes, warnings: [...status.warnings, ...disks, ...others.map(unchanged)] };
  const facts = { apiServers, to, supported, status: planned, deprecated, obstacles, ...settings };
  const plan = planOrError(facts);
  return { plan, facts, status, etcdPath: await findEtcdPath(status.etcd?.version, plan.chain, config) };
}

function unchanged({ name, version }: ClusterStatus["nodes"][number]): string {
  return `${name} (${version}) is not in the configuration: it keeps its version, or is removed if Kubewright added it`;
}

type Settings = Omit<UpgradeFacts, "apiServers" | "to" | "supported" | "status" | "deprecated" | "obstacles">;

/** Returns what the configuration and the command say about the upgrade. */
function settingsOf(config: ClusterConfig, { isResumed, canary, soak }: UpgradeRequest, to: string): Settings {
  const { kubernetes } = config;
  const planned = isResumed ? { ...config, kubernetes: { ...kubernetes, hold: {} } } : config;
  const pools = poolsOf(planned);
  const configured = isResumed ? ownCanaries(kubernetes) : kubernetes.canary;
  return {
    poolVersions: new Map(pools.flatMap(({ name, version }) => (version === undefined ? [] : [[name, version]]))),
    heldNodes: heldNodes(planned),
    // A chain would otherwise end between two of its versions.
    configProblems: versionProblems(planned, to).map(renderProblem),
    soak: soak ?? kubernetes.soak,
    canaries: canary === undefined ? configured : [canary],
    // A pause ends also where its canaries were all the nodes that waited.
    isChanged: isResumed && isRecorded(config),
    poolLimits: new Map(pools.map(({ name, maxUnavailable }) => [name, maxUnavailable])),
    ladder: ladderOf(config),
    emulated: isResumed && config.controlPlane.emulate ? previousMinor(kubernetes.version) : undefined,
    surges: configuredSurges(planned),
    replacedPools: pools.filter(({ upgrade }) => upgrade === "replace").map(({ name }) => name),
  };
}

/** Whether the configuration has anything that the end of an upgrade removes. */
function isRecorded({ kubernetes: { hold, upgrading }, controlPlane }: ClusterConfig): boolean {
  return controlPlane.emulate !== undefined || upgrading !== undefined || Object.keys(hold).length > 0;
}

/** Returns what the ladder has up to its rung; undefined for a cluster that kubeadm built. */
export function ladderOf({ bootstrap, rung = "dns", controlPlane }: ClusterConfig): UpgradeFacts["ladder"] {
  return bootstrap === "components" ? { rung, runAs: controlPlane.runAs } : undefined;
}

function planOrError(facts: UpgradeFacts): UpgradePlan {
  try {
    return planUpgrade(facts);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const action = chooseVersion(facts.supported);
    throw new StepError({ step: "planning the upgrade", cause: error.message, action });
  }
}
