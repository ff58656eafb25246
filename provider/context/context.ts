import { systemClock, type Clock } from "../../common/clock";
import { DockerTraits } from "../docker/probe";
import { isContainerOff, isContainerRemoved } from "../docker/removed-container";
import { UnreachableMachines } from "../ssh/unreachable";
import { KubeClients } from "../kube/clients";
import { PoolGate } from "../kube/pool-gate";
import { DEFAULT_SETTINGS, type ProviderSettings } from "../settings/settings";
import { Connections } from "../ssh/connections";
import { noTrace, type Trace } from "../settings/trace";
import { VagrantFolders } from "../vagrant/machines";
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
  /** Returns whether the platform that created a machine (Docker) proves that it was removed. */
  readonly isMachineRemoved: (address: string, signal: AbortSignal) => Promise<boolean>;
  /** Whether the maker of the machine at an address proves that it does not run: stopped, or removed. */
  readonly isMachineOff: (address: string, signal: AbortSignal) => Promise<boolean>;
  readonly docker: DockerTraits;
  readonly vagrant: VagrantFolders;
  readonly vagrantProblems: VagrantProblems;
}

/** @param settings kept by reference: the engine configures the provider after it was started. */
export function createProviderContext(
  settings: ProviderSettings = { ...DEFAULT_SETTINGS },
  { clock = systemClock, trace = noTrace }: { clock?: Clock; trace?: Trace } = {},
): ProviderContext {
  const connections = new Connections(settings, { clock, trace });
  return {
    settings,
    clock,
    trace,
    connections,
    kube: new KubeClients(connections, settings),
    poolGate: new PoolGate(),
    unreachable: new UnreachableMachines(settings),
    isMachineRemoved: isContainerRemoved,
    isMachineOff: isContainerOff,
    docker: new DockerTraits(),
    vagrant: new VagrantFolders(),
    vagrantProblems: new VagrantProblems(),
  };
}
