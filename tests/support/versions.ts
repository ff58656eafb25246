import type { Versions } from "../../artifacts/versions";

/** The newest supported Kubernetes, which is the default. */
export function newestVersion(versions: Versions): string {
  const newest = Object.keys(versions.kubernetes.supported)
    .sort((one, other) => one.localeCompare(other, "en", { numeric: true }))
    .at(-1);
  if (!newest) throw new Error("versions.yaml supports no version of Kubernetes");
  return newest;
}
