import type { Versions } from "../../artifacts/versions";

/** The newest supported Kubernetes, which is the default. */
export function newestVersion(versions: Versions): string {
  const newest = Object.keys(versions.kubernetes.supported)
    .sort((one, other) => one.localeCompare(other, "en", { numeric: true }))
    .at(-1);
  if (!newest) throw new Error("versions.yaml supports no version of Kubernetes");
  return newest;
}

/** The supported Kubernetes of the minor version before the newest one. */
export function previousVersion(versions: Versions): string {
  const newest = minorOf(newestVersion(versions));
  const previous = Object.keys(versions.kubernetes.supported).find((version) => minorOf(version) === newest - 1);
  if (!previous) throw new Error("versions.yaml supports no version of the minor version before the newest one");
  return previous;
}

function minorOf(version: string): number {
  return Number(version.split(".")[1]);
}
