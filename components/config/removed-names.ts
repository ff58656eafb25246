import { poolsOf, workerNames } from "./pools";
import type { ClusterConfig } from "./types";

/**
 * Leaves out pools and workers that are not configured any more from what an upgrade that is under way has written.
 * Without its record the names are the user's own, and are checked.
 */
export function withoutRemovedNames(config: ClusterConfig): ClusterConfig {
  const { kubernetes } = config;
  if (kubernetes.upgrading === undefined) return config;
  const pools = poolsOf(config).map(({ name }) => name);
  const additional = pick(kubernetes.additional, pools);
  const all = { ...config, kubernetes: { ...kubernetes, additional } };
  const workers = workerNames(all);
  return {
    ...config,
    kubernetes: {
      ...all.kubernetes,
      hold: pick(kubernetes.hold, [...pools, ...workers]),
      canary: kubernetes.canary.filter((name) => workers.includes(name)),
      canaryAfter: kubernetes.canaryAfter.filter((name) => workers.includes(name)),
    },
  };
}

function pick<T>(values: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => names.includes(name)));
}
