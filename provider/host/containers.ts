import { StepError } from "../../common/errors";
import { quote } from "../../common/quote";
import { until } from "../../common/wait";
import type { Remote } from "../ssh/remote";

/** Labels that the kubelet sets on containers, with every runtime. */
export type ContainerLabel = "io.kubernetes.pod.name" | "io.kubernetes.container.name";

/** Returns the ids of the running containers with a label; none on a machine without a container runtime. */
export async function listContainers(
  machine: Remote,
  label: ContainerLabel,
  value: string,
  signal: AbortSignal,
): Promise<string[]> {
  const script = `running=$(ctr --connect-timeout 2s -n k8s.io tasks ls 2>/dev/null | awk '$3 == "RUNNING" {print $1}')
for id in $(ctr --connect-timeout 2s -n k8s.io containers ls -q ${quote(`labels."${label}"==${value}`)} 2>/dev/null); do
  case " $(echo $running) " in *" $id "*) echo "$id" ;; esac
done
docker ps -q --no-trunc --filter ${quote(`label=${label}=${value}`)} 2>/dev/null
true`;
  const { stdout } = await machine.read(script, { step: "listing containers", signal });
  return stdout.split("\n").filter(Boolean);
}

export interface StopOptions {
  signal: AbortSignal;
  /** Seconds. */
  timeout: number;
  /** Waits for these ids only. @default all with the label */
  ids?: readonly string[];
}

/** Waits until no container with the label runs. */
export async function waitUntilStopped(
  machine: Remote,
  label: ContainerLabel,
  value: string,
  { signal, timeout, ids }: StopOptions,
): Promise<void> {
  await until(
    async () => {
      const running = await listContainers(machine, label, value, signal);
      return running.some((id) => ids === undefined || ids.includes(id)) ? undefined : true;
    },
    {
      signal,
      timeout,
      patience: machine.patience,
      onTimeout: (seconds) =>
        new StepError({
          step: `stopping ${value}`,
          machine: machine.label,
          cause: `its containers are still running after ${seconds} s`,
          action: "check `journalctl -u kubelet` on the machine",
        }),
    },
  );
}
