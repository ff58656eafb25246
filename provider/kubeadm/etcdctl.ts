import { MANIFESTS } from "../../render/component-paths";

export const ETCD_MANIFEST = `${MANIFESTS}/etcd.yaml`;

/** Begins a script whose failure is an answer, too. */
export const IGNORE_FAILURE = "trap 'exit 0' EXIT";
