import { z } from "zod";
import { genericMessage, pathText, problemsOf } from "../fields/problems";
import type { AnyKind } from "../machines/kind";
import { kindOf, machineSettings, sharedSettings } from "./kinds";
import { controlPlaneNames, madeNames, poolsOf } from "./pools";
import { type ClusterConfig, type CrossProblem, sshHosts } from "./types";

/** Where machines are made: the control plane, and pools that count any. */
function makers(config: ClusterConfig) {
  const pools = poolsOf(config).map((pool) => ({ own: pool, made: madeNames(config, pool) }));
  return [{ own: config.controlPlane, made: controlPlaneNames(config) }, ...pools].filter(
    ({ made }) => made.length > 0,
  );
}

/** What a kind requires is required only where machines of it are wanted. */
export function kindSettings(config: ClusterConfig): CrossProblem[] {
  const found = makers(config).flatMap(({ own }) => {
    const kind = kindOf(config, own);
    const [shared, each] = [sharedSettings(config, kind), machineSettings(config, own, kind)];
    const absent = [...missing(kind, kind.shared, shared), ...missing(kind, kind.each, each)];
    if (absent.length > 0 || !kind.unfit) return absent;
    const unfit = kind.unfit(z.object(kind.each).parse(each), z.object(kind.shared).parse(shared));
    return unfit.map(({ property, reason, action }) => ({ path: `machines.${kind.name}.${property}`, reason, action }));
  });
  return [...new Map(found.map((problem) => [problem.path, problem])).values()];
}

function missing({ name }: AnyKind, shape: z.ZodRawShape, given: object): CrossProblem[] {
  const parsed = z.object(shape).safeParse(given, { error: genericMessage });
  if (parsed.success) return [];
  return problemsOf(parsed.error).map((problem) => ({ ...problem, path: `machines.${name}.${problem.path}` }));
}

/** Routes to pods by way of a machine need that machine on one's own segment. */
export function routedNetworks(config: ClusterConfig): CrossProblem[] {
  if (config.network.flannel.backend !== "host-gw") return [];
  const routed = makers(config)
    .map(({ own }) => kindOf(config, own))
    .find((kind) => kind.routed);
  if (!routed) return [];
  return [
    {
      path: "network.flannel.backend",
      about: ["machines"],
      reason: `host-gw needs all machines on one network segment, and those of kind ${routed.name} have routers between them`,
      action: "set network.flannel.backend: vxlan",
    },
  ];
}

/** A control plane is of one kind: a listed one beside those that are made would be no member. */
export function strayControlPlanes(config: ClusterConfig): CrossProblem[] {
  const { name, makes } = kindOf(config, config.controlPlane);
  if (!makes) return [];
  return sshHosts(config).flatMap(({ role }, index) =>
    role === "worker"
      ? []
      : [
          {
            path: `${pathText(["machines", "ssh", "hosts", index])}.role`,
            reason: `control planes are machines of kind ${name}, so a listed one has no place`,
            action: "set controlPlane.machines.kind: ssh, or give it role: worker",
            about: ["machines.kind", "controlPlane.machines"],
          },
        ],
  );
}
