import type {
  Argument,
  ClusterConfiguration,
  ControlPlaneComponent,
  KubeadmDocument,
} from "../../render/kubeadm-types";

const FLAG = "leader-elect";
const COMPONENTS = ["controllerManager", "scheduler"] as const;
type Component = (typeof COMPONENTS)[number];

/**
 * Returns the documents without turning leader election off where it is on. A cluster that shrinks to one control
 * plane still has the others while its configuration changes, and two controller managers would be active.
 * @param isOff whether a component runs without leader election now
 */
export function keepLeaderElection<T extends KubeadmDocument>(
  documents: readonly T[],
  isOff: (component: Component) => boolean,
): T[] {
  return documents.map((document) =>
    document.kind === "ClusterConfiguration" ? withElection(document as ClusterConfiguration & T, isOff) : document,
  );
}

function withElection<T extends ClusterConfiguration>(document: T, isOff: (component: Component) => boolean): T {
  const kept = COMPONENTS.filter((component) => !isOff(component)).map((component) => [
    component,
    withoutFlag(document[component]),
  ]);
  return { ...document, ...(Object.fromEntries(kept) as object) };
}

function withoutFlag({ extraArgs = [], ...rest }: ControlPlaneComponent = {}): ControlPlaneComponent {
  const others = extraArgs.filter((argument) => !turnsOff(argument));
  return others.length > 0 ? { ...rest, extraArgs: others } : rest;
}

/** Whether a component of a ClusterConfiguration has leader election turned off. */
export function isElectionOff({ extraArgs = [] }: ControlPlaneComponent = {}): boolean {
  return extraArgs.some(turnsOff);
}

/** Whether a static pod's manifest turns leader election off. */
export function isElectionOffIn(manifest: string): boolean {
  return new RegExp(`^\\s*- --${FLAG}=false$`, "m").test(manifest);
}

function turnsOff({ name, value }: Argument): boolean {
  return name === FLAG && value === "false";
}
