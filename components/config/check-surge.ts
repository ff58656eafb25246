import { unknownPools } from "./check-versions";
import { kindOf, sharedSettings } from "./kinds";
import { type Pool, poolsOf } from "./pools";
import type { ClusterConfig, CrossProblem } from "./types";

/** Refuses additional machines for an upgrade that cannot be created, or that are fewer than the drained nodes. */
export function surges(config: ClusterConfig): CrossProblem[] {
  return poolsOf(config)
    .filter(({ surge }) => surge > 0)
    .flatMap((pool) => {
      const path = `${pool.path}.surge`;
      const about = ["machines", pool.path];
      const reason = reasonAgainstMore(config, pool);
      if (reason !== undefined) return [{ path, reason, action: "leave it out", about }];
      return pool.surge < pool.maxUnavailable ? [tooFew(pool)] : [];
    });
}

/** Refuses additional machines of pools that do not exist, or that can have none. */
export function additionalMachines(config: ClusterConfig): CrossProblem[] {
  const impossible = poolsOf(config)
    .filter(({ additional }) => additional > 0)
    .flatMap((pool): CrossProblem[] => {
      const path = `kubernetes.additional.${pool.name}`;
      const reason = reasonAgainstMore(config, pool);
      return reason === undefined ? [] : [{ path, reason, action: "leave it out", about: ["machines", pool.path] }];
    });
  return [...unknownPools(config), ...impossible];
}

function reasonAgainstMore(config: ClusterConfig, pool: Pool): string | undefined {
  const kind = kindOf(config, pool);
  if (!kind.makes) return `machines of kind ${kind.name} cannot be created, so the pool can have no additional ones`;
  if (sharedSettings(config, kind).vagrantfile === undefined) return undefined;
  return "the machines are defined in your own Vagrantfile, so the pool can have no additional ones";
}

function tooFew({ path, surge, maxUnavailable }: Pool): CrossProblem {
  return {
    path: `${path}.surge`,
    reason: `${surge} is less than maxUnavailable (${maxUnavailable}), so fewer than count nodes could be available`,
    action: `use ${maxUnavailable} or more, or lower ${path}.maxUnavailable`,
    about: [`${path}.maxUnavailable`],
  };
}
