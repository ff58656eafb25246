import type { Fault, Operation, Phase } from "./cell";
import {
  cutSessions,
  dropPackets,
  kill,
  killComponent,
  killKubelet,
  powerCycle,
  powerOff,
  restartSshd,
  shrinkImageStore,
} from "./injections";

const CREATING = "the machine is being created and has no SSH connection yet";
const ENDED = "the command has ended";
const DELETED = "the machine is deleted as a whole, without work on it";

/** A fault of the connection needs work over SSH on the target. */
function needsConnection(operation: Operation, phase: Phase): string | undefined {
  if (phase.name === "end") return ENDED;
  if (operation.name === "destroy") return DELETED;
  return phase.name === "machine"
    ? CREATING
    : phase.name === "evict"
      ? "an eviction uses the API server only"
      : phase.name === "leave"
        ? "a member leaves etcd through another control plane"
        : undefined;
}

function needsRunningMachine(_operation: Operation, phase: Phase): string | undefined {
  return phase.name === "end" ? ENDED : phase.name === "machine" ? CREATING : undefined;
}

function needsCommand(_operation: Operation, phase: Phase): string | undefined {
  return phase.name === "end" ? ENDED : undefined;
}

function needsKubelet(_operation: Operation, phase: Phase): string | undefined {
  return phase.name === "end"
    ? ENDED
    : ["join", "ready", "init", "evict", "leave"].includes(phase.name)
      ? undefined
      : "no kubelet runs yet";
}

function needsApi(operation: Operation, phase: Phase): string | undefined {
  if (phase.name === "end") return ENDED;
  if (operation.name === "destroy") return DELETED;
  if (operation.name === "create" && phase.name !== "ready") return "it does not run yet";
  return ["images", "binaries", "machine"].includes(phase.name) ? "the phase does not use it" : undefined;
}

/**
 * All faults. A new one needs a name, a description and the phases that it does not apply to; injections.ts changes
 * machines.
 */
export const FAULTS: readonly Fault[] = [
  {
    name: "dropped",
    description: "all SSH sessions on the machine are killed, so that the connections drop",
    notApplicable: needsConnection,
    inject: cutSessions,
  },
  {
    name: "hanging",
    description: "the packets of the open SSH connections are dropped silently; new connections work",
    notApplicable: needsConnection,
    inject: dropPackets,
  },
  {
    name: "sshd-restarted",
    description: "sshd stops with its sessions and starts again",
    notApplicable: needsConnection,
    inject: restartSshd,
  },
  {
    name: "rebooted",
    description: "the machine is powered off and on again",
    notApplicable: needsRunningMachine,
    stopsMachine: true,
    inject: powerCycle,
  },
  {
    name: "killed",
    description: "the machine is powered off and stays off",
    notApplicable: (operation, phase) =>
      operation.name === "drain"
        ? "a drain removes the pods of a dead machine and does not restart the machine"
        : needsRunningMachine(operation, phase),
    stopsMachine: true,
    inject: powerOff,
  },
  {
    name: "sigkill",
    description: "all processes of the run are killed together: command, engine, program, provider",
    notApplicable: needsCommand,
    endsCommand: true,
    inject: async ({ pid }) => kill(-pid, "SIGKILL"),
  },
  {
    name: "ctrl-c",
    description: "the command is interrupted, as by Ctrl-C",
    notApplicable: needsCommand,
    endsCommand: true,
    inject: async ({ pid }) => kill(pid, "SIGINT"),
  },
  {
    name: "disk-full",
    description: "containerd's folder is a file system of 32 MiB, which is enlarged after the failure",
    notApplicable: (operation, phase) =>
      phase.name === "binaries"
        ? undefined
        : "only images fill the disk, which shrinks before they are loaded, while binaries are copied",
    inject: shrinkImageStore,
  },
  {
    name: "oom-kubelet",
    description: "the kubelet is killed, as by the kernel when memory runs out",
    notApplicable: needsKubelet,
    inject: killKubelet,
  },
  {
    name: "apiserver-restarted",
    description: "the API server is killed; the kubelet restarts it",
    notApplicable: needsApi,
    inject: killComponent("kube-apiserver"),
  },
  {
    name: "etcd-restarted",
    description: "etcd is killed; the kubelet restarts it",
    notApplicable: needsApi,
    inject: killComponent("etcd"),
  },
  {
    name: "token-expired",
    description: "the bootstrap token expires before kubeadm uses it",
    notApplicable: (_operation, phase) => (phase.name === "join" ? undefined : "only a join uses a token"),
    inject: ({ cluster, operation }) => cluster.expireTokens(operation.target),
  },
  {
    name: "stale-state",
    description: "after the operation, Pulumi's state is replaced by the one from before it, as from a backup",
    notApplicable: (_operation, phase) => (phase.name === "end" ? undefined : "it follows the operation"),
    prepare: ({ cluster }) => cluster.saveState(),
    inject: ({ cluster }) => cluster.restoreState(),
  },
];
