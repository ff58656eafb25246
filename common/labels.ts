/** Which pool a node belongs to: components put it on every node, and whoever drains counts by it. */
export const POOL_LABEL = "kubewright.io/pool";
