import { z } from "zod";
import { genericMessage, pathText, problemsOf } from "../fields/problems";
import type { AnyKind } from "../machines/kind";
import { kindOf, machineSettings, sharedSettings } from "./kinds";
import { controlPlaneNames, madeNames, poolsOf } from "./pools";
import { type ClusterConfig, type CrossProblem, sshHosts } from "./types";

/** The control plane and the pools for which machines are created. */
function poolsWithMachines(config: ClusterConfig) {
  const pools = poolsOf(config).map((pool) => ({ pool, names: madeNames(config, pool) }));
  return [{ pool: config.controlPlane, names: controlPlaneNames(config) }, ...pools].filter(
    ({ names }) => names.length > 0,
  );
}

/** Finds missing and unsuitable settings of the kinds of which machines are created. */
export function kindSettings(config: ClusterConfig): CrossProblem[] {
  const problems = poolsWithMachines(config).flatMap(({ pool }) => {
    const kind = kindOf(config, pool);
    const [shared, each] = [sharedSettings(config, kind), machineSettings(config, pool, kind)];
    const absent = [...missing(kind, kind.shared, shared), ...missing(kind, kind.each, each)];
    if (absent.length > 0 || !kind.unfit) return absent;
    const unfit = kind.unfit(z.object(kind.each).parse(each), z.object(kind.shared).parse(shared));
    return unfit.map(({ property, reason, action }) => ({ path: `machines.${kind.name}.${property}`, reason, action }));
  });
  return [...new Map(problems.map((problem) => [problem.path, problem])).values()];
}

function missing({ name }: AnyKind, shape: z.ZodRawShape, settings: object): CrossProblem[] {
  const parsed = z.object(shape).safeParse(settings, { error: genericMessage });
  if (parsed.success) return [];
  return problemsOf(parsed.error).map((problem) => ({ ...problem, path: `machines.${name}.${problem.path}` }));
}

/** Refuses host-gw across routers: it routes packets to pods through their node, which must be on the same segment. */
export function routedNetworks(config: ClusterConfig): CrossProblem[] {
  if (config.network.flannel.backend !== "host-gw") return [];
  const routed = poolsWithMachines(config)
    .map(({ pool }) => kindOf(config, pool))
    .find((kind) => kind.routed);
  if (!routed) return [];
  return [
    {
      path: "network.flannel.backend",
      about: ["machines"],
      reason:
        `host-gw needs all machines on one network segment, ` +
        `and those of kind ${routed.name} have routers between them`,
      action: "set network.flannel.backend: vxlan",
    },
  ];
}

/** Refuses listed control planes if control planes are created: all are of one kind. */
export function strayControlPlanes(config: ClusterConfig): CrossProblem[] {
  const { name, makes } = kindOf(config, config.controlPlane);
  if (!makes) return [];
  return sshHosts(config).flatMap(({ role }, index) =>
    role === "worker"
      ? []
      : [
          {
            path: `${pathText(["machines", "ssh", "hosts", index])}.role`,
            reason: `control planes are machines of kind ${name}, so a listed one cannot be added`,
            action: "set controlPlane.machines.kind: ssh, or give the host role: worker",
            about: ["machines.kind", "controlPlane.machines"],
          },
        ],
  );
}
