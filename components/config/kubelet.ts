import { z } from "zod";
import type { KubeletSettings } from "../../render/kubelet";
import { complaint } from "../fields/problems";
import { suggestion } from "../fields/suggest";

const quantities = z.record(z.string(), z.string());
const percent = z.int().min(0).max(100);

const known = {
  maxPods: z.int().min(1),
  podPidsLimit: z.int(),
  evictionHard: quantities,
  evictionSoft: quantities,
  evictionSoftGracePeriod: quantities,
  evictionMinimumReclaim: quantities,
  systemReserved: quantities,
  kubeReserved: quantities,
  failSwapOn: z.boolean(),
  memorySwap: z.strictObject({ swapBehavior: z.enum(["NoSwap", "LimitedSwap"]).optional() }),
  imageGCHighThresholdPercent: percent,
  imageGCLowThresholdPercent: percent,
  containerLogMaxSize: z.string(),
  containerLogMaxFiles: z.int().min(2),
  serializeImagePulls: z.boolean(),
  maxParallelImagePulls: z.int().min(1),
  shutdownGracePeriod: z.string(),
  shutdownGracePeriodCriticalPods: z.string(),
  cpuManagerPolicy: z.enum(["none", "static"]),
  topologyManagerPolicy: z.enum(["none", "best-effort", "restricted", "single-numa-node"]),
  featureGates: z.record(z.string(), z.boolean()),
};

/** Decided by kubeadm, by containerd's configuration or by the machine: another value breaks the node. */
const ours = [
  "apiVersion",
  "kind",
  "cgroupDriver",
  "clusterDNS",
  "clusterDomain",
  "containerRuntimeEndpoint",
  "failCgroupV1",
  "staticPodPath",
];

/** The kubelet's settings: known ones by their type, others as they are, near misses of known ones refused. */
export const kubeletSettings: z.ZodType<KubeletSettings> = z
  .object(known)
  .partial()
  .catchall(z.json())
  .superRefine((given, context) => {
    for (const name of Object.keys(given)) {
      const message = nameProblem(name);
      if (message !== undefined) context.addIssue({ code: "custom", path: [name], message });
    }
  });

function nameProblem(name: string): string | undefined {
  if (name in known) return undefined;
  if (ours.includes(name)) return complaint("is set by Kubewright", "leave it out");
  const meant = suggestion(name, Object.keys(known));
  return meant === undefined ? undefined : complaint("is not a setting of the kubelet", `did you mean ${meant}?`);
}
