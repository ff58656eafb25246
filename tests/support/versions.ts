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
  return versionBefore(versions, 1);
}

/** The supported Kubernetes that is some minor versions older than the newest one. */
export function versionBefore(versions: Versions, minors: number): string {
  const minor = minorOf(newestVersion(versions)) - minors;
  const found = Object.keys(versions.kubernetes.supported).find((version) => minorOf(version) === minor);
  if (!found) throw new Error(`versions.yaml supports no version of the minor version 1.${minor}`);
  return found;
}

function minorOf(version: string): number {
  return Number(version.split(".")[1]);
}
