/**
 * Label of the pool that a node belongs to. Set on every node, and used to limit how many nodes of a pool are drained
 * in parallel.
 */
export const POOL_LABEL = "kubewright.io/pool";
