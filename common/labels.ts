/** Domain of the labels and annotations that Kubewright sets. */
export const KUBEWRIGHT_DOMAIN = "kubewright.io";

/**
 * Label of the pool that a node belongs to. Set on every node, and used to limit how many nodes of a pool are drained
 * in parallel.
 */
export const POOL_LABEL = `${KUBEWRIGHT_DOMAIN}/pool`;
