import { MANIFESTS } from "../../render/component-paths";
import { readContents } from "../host/files";
import type { Remote } from "../ssh/remote";

/** Static pods of a control plane, in the order in which they depend on one another. */
export const COMPONENTS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const;
export type Component = (typeof COMPONENTS)[number];

/** Text of each component's manifest; absent if there is none. */
export type ManifestTexts = ReadonlyMap<Component, string>;

/** Path of the manifest that the kubelet runs. */
export function manifestPath(component: Component): string {
  return `${MANIFESTS}/${component}.yaml`;
}

/** Reads the manifests of the static pods, or copies of them in another folder. */
export async function readManifestTexts(
  machine: Remote,
  signal: AbortSignal,
  pathOf: (component: Component) => string = manifestPath,
): Promise<ManifestTexts> {
  return textsByComponent(await readContents(machine, COMPONENTS.map(pathOf), signal), pathOf);
}

/** Selects the manifests from contents of files by path. */
export function textsByComponent(
  contents: ReadonlyMap<string, string>,
  pathOf: (component: Component) => string = manifestPath,
): ManifestTexts {
  return new Map(
    COMPONENTS.flatMap((component): [Component, string][] => {
      const text = contents.get(pathOf(component));
      return text === undefined ? [] : [[component, text]];
    }),
  );
}
