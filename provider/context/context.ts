import { systemClock, type Clock } from "../../common/clock";
import type { OnMachine } from "../../contracts/on-machine";
import { DockerTraits } from "../docker/probe";
import { isContainerOff, isContainerRemoved } from "../docker/removed-container";
import { UnreachableMachines } from "../ssh/unreachable";
import { KubeClients } from "../kube/clients";
import { PoolGate } from "../kube/pool-gate";
import { CachedFiles } from "./cached-files";
import { DEFAULT_SETTINGS, type ProviderSettings } from "../settings/settings";
import { Connections } from "../ssh/connections";
import { noTrace, type Trace } from "../settings/trace";
import { Sources } from "../transfer/sources";
import { VagrantFolders } from "../vagrant/machines";
import { readVagrantPower } from "../vagrant/power-state";
import { VagrantProblems } from "../vagrant/preflight";

/**
 * Everything that outlives a single operation of the provider. Made once in main.ts, and handed to every operation of
 * every handler.
 */
export interface ProviderContext {
  /** Set once the engine has configured the provider. */
  readonly settings: Readonly<ProviderSettings>;
  readonly clock: Clock;
  readonly trace: Trace;
  /** SSH connections: `context.connections.get(connection)`. */
  readonly connections: Connections;
  /** Kubernetes API clients: `context.kube.api(controlPlanes, signal)`. */
  readonly kube: KubeClients;
  /** Limits how many nodes of a pool are drained at the same time. */
  readonly poolGate: PoolGate;
  /** Machines that do not answer, that are gone, or that are being replaced. */
  readonly unreachable: UnreachableMachines;
  /** Returns whether the platform that created a machine (Docker, Vagrant) proves that it was removed. */
  readonly isMachineRemoved: (machine: OnMachine, signal: AbortSignal) => Promise<boolean>;
  /** Returns whether the platform that created a machine proves that it does not run: it is stopped or removed. */
  readonly isMachineOff: (machine: OnMachine, signal: AbortSignal) => Promise<boolean>;
  readonly docker: DockerTraits;
  /** Files in the cache of this computer: `context.cachedFiles.obtain(path, status, signal)`. */
  readonly cachedFiles: CachedFiles;
  /** Which machines can download their files themselves: `context.sources.findObstacle(machine, urls, signal)`. */
  readonly sources: Sources;
  readonly vagrant: VagrantFolders;
  readonly vagrantProblems: VagrantProblems;
}

/** @param settings kept by reference: the engine configures the provider after it was started. */
export function createProviderContext(
  settings: ProviderSettings = { ...DEFAULT_SETTINGS },
  { clock = systemClock, trace = noTrace }: { clock?: Clock; trace?: Trace } = {},
): ProviderContext {
  const connections = new Connections(settings, { clock, trace });
  const vagrant = new VagrantFolders();
  return {
    settings,
    clock,
    trace,
    connections,
    kube: new KubeClients(connections, settings),
    poolGate: new PoolGate(),
    unreachable: new UnreachableMachines(settings),
    ...powerProofs(vagrant),
    docker: new DockerTraits(),
    cachedFiles: new CachedFiles(),
    sources: new Sources(),
    vagrant,
    vagrantProblems: new VagrantProblems(),
  };
}

/** Asks the platforms that may have created a machine. */
function powerProofs(vagrant: VagrantFolders): Pick<ProviderContext, "isMachineRemoved" | "isMachineOff"> {
  const recorded = ({ connection, instance }: OnMachine) => ({ address: connection.host, instance });
  return {
    isMachineRemoved: async (machine, signal) =>
      (await isContainerRemoved(recorded(machine), signal)) ||
      (await readVagrantPower(vagrant, machine.connection, signal)) === "removed",
    isMachineOff: async (machine, signal) =>
      (await isContainerOff(recorded(machine), signal)) ||
      ["off", "removed"].includes(await readVagrantPower(vagrant, machine.connection, signal)),
  };
}
