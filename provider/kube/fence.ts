import { messageOf } from "../../common/errors";
import { run } from "../../common/process";
import type { MachineState } from "./dead-node";

const TIMEOUT_MS = 120_000;

export interface FenceOptions {
  /** Shell command on this computer. Exit code 0 means that the machine is off. */
  command: string;
  /** Name of the machine: `KUBEWRIGHT_MACHINE` of the command's environment. */
  machine: string;
  /** Address of the machine: `KUBEWRIGHT_HOST`. */
  host: string;
  signal: AbortSignal;
}

/** Powers a machine off by the user's command, for example through IPMI. Its success proves that the machine is off. */
export async function fenceMachine({ command, machine, host, signal }: FenceOptions): Promise<MachineState> {
  const env = { KUBEWRIGHT_MACHINE: machine, KUBEWRIGHT_HOST: host };
  try {
    await run("sh", ["-c", command], { env, cancelSignal: signal, timeout: TIMEOUT_MS, stdin: "ignore" });
    return { gone: true, reason: `drain.fence has powered ${machine} off` };
  } catch (error) {
    signal.throwIfAborted();
    return { gone: false, reason: `drain.fence failed: ${messageOf(error)}` };
  }
}
