import { z } from "zod";
import { complaint } from "../fields/problems";
import { closestName } from "../fields/closest-name";

const quantities = z.record(z.string(), z.string());
const percent = z.int().min(0).max(100);

/** The fields that are checked. */
const checkedFields = {
  /** Largest number of pods on the node. */
  maxPods: z.int().min(1),
  /** Largest number of processes in a pod; -1 for no limit. */
  podPidsLimit: z.int(),
  /** Thresholds at which pods are evicted immediately, by signal: `{ "memory.available": 100Mi }`. */
  evictionHard: quantities,
  /** Thresholds at which pods are evicted after a grace period, by signal. */
  evictionSoft: quantities,
  /** Grace periods of `evictionSoft`, by signal: `{ "memory.available": 1m }`. */
  evictionSoftGracePeriod: quantities,
  /** Amounts that an eviction must free at least, by signal. */
  evictionMinimumReclaim: quantities,
  /** Resources reserved for the operating system: `{ cpu: 200m, memory: 256Mi }`. */
  systemReserved: quantities,
  /** Resources reserved for the kubelet and the container runtime. */
  kubeReserved: quantities,
  /** Whether the kubelet refuses to start while swap is on. `false` leaves swap on. */
  failSwapOn: z.boolean(),
  /** How pods may use swap. */
  memorySwap: z.strictObject({
    /** `LimitedSwap` lets pods use swap in proportion to their memory request. */
    swapBehavior: z.enum(["NoSwap", "LimitedSwap"]).optional(),
  }),
  /** Disk usage in percent above which unused images are deleted. */
  imageGCHighThresholdPercent: percent,
  /** Disk usage in percent down to which unused images are deleted. */
  imageGCLowThresholdPercent: percent,
  /** Size at which a container's log file is rotated: `10Mi`. */
  containerLogMaxSize: z.string(),
  /** Number of log files kept for each container. */
  containerLogMaxFiles: z.int().min(2),
  /** Whether images are pulled one after the other. */
  serializeImagePulls: z.boolean(),
  /** Largest number of images pulled in parallel. */
  maxParallelImagePulls: z.int().min(1),
  /** Time that pods get to terminate when the machine shuts down: `30s`. */
  shutdownGracePeriod: z.string(),
  /** Part of `shutdownGracePeriod` that critical pods get. */
  shutdownGracePeriodCriticalPods: z.string(),
  /** `static` gives containers exclusive CPUs. It needs CPUs in `systemReserved` or `kubeReserved`. */
  cpuManagerPolicy: z.enum(["none", "static"]),
  /** How CPUs and devices of one pod are aligned to NUMA nodes. */
  topologyManagerPolicy: z.enum(["none", "best-effort", "restricted", "single-numa-node"]),
  /** Feature gates, by name. */
  featureGates: z.record(z.string(), z.boolean()),
};

/** Fields that kubeadm, the container runtime or the machine determine. Another value would break the node. */
const managedFields = [
  "apiVersion",
  "kind",
  "cgroupDriver",
  "clusterDNS",
  "clusterDomain",
  "containerRuntimeEndpoint",
  "failCgroupV1",
  "staticPodPath",
];

/** Fields of the kubelet's configuration. Unchecked fields are accepted, unless they look like a misspelled one. */
export const kubeletSettings = z
  .object(checkedFields)
  .partial()
  .catchall(z.json())
  .superRefine((fields, context) => {
    for (const name of Object.keys(fields)) {
      const message = nameProblem(name);
      if (message !== undefined) context.addIssue({ code: "custom", path: [name], message });
    }
  });

function nameProblem(name: string): string | undefined {
  if (name in checkedFields) return undefined;
  if (managedFields.includes(name)) return complaint("is set by Kubewright", "leave it out");
  const similar = closestName(name, Object.keys(checkedFields));
  return similar === undefined
    ? undefined
    : complaint("is not a field of KubeletConfiguration", `did you mean ${similar}?`);
}
