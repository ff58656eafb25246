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

const madeNow = "the machine is being made: nobody is connected to it";
const over = "the command is over";
const unmade = "the machine goes, and what is on it is not undone";

/** A fault of the way to the target needs a machine at work on its end. */
function needsMachine(operation: Operation, phase: Phase): string | undefined {
  if (phase.name === "end") return over;
  if (operation.name === "destroy") return unmade;
  return phase.name === "machine"
    ? madeNow
    : phase.name === "evict"
      ? "an eviction talks to the API server only"
      : undefined;
}

function goesDown(_operation: Operation, phase: Phase): string | undefined {
  return phase.name === "end" ? over : phase.name === "machine" ? madeNow : undefined;
}

function whileAtWork(_operation: Operation, phase: Phase): string | undefined {
  return phase.name === "end" ? over : undefined;
}

function needsKubelet(_operation: Operation, phase: Phase): string | undefined {
  return phase.name === "end"
    ? over
    : ["join", "ready", "init", "evict"].includes(phase.name)
      ? undefined
      : "no kubelet runs there then";
}

function needsApi(operation: Operation, phase: Phase): string | undefined {
  if (phase.name === "end") return over;
  if (operation.name === "destroy") return unmade;
  if (operation.name === "create" && phase.name !== "ready") return "there is none yet";
  return ["images", "binaries", "machine"].includes(phase.name) ? "nobody asks it then" : undefined;
}

/** Every fault. A new one needs a name, what it does, and where it makes no sense; what it does to machines is in injuries.ts. */
export const FAULTS: readonly Fault[] = [
  {
    name: "dropped",
    what: "every SSH session on the machine is killed: the connection drops",
    senseless: needsMachine,
    strike: cutSessions,
  },
  {
    name: "hanging",
    what: "the packets of every SSH connection that is open are thrown away, without a word to either side; new connections work",
    senseless: needsMachine,
    strike: dropPackets,
  },
  {
    name: "sshd-restarted",
    what: "sshd stops, with its sessions, and starts again",
    senseless: needsMachine,
    strike: restartSshd,
  },
  {
    name: "rebooted",
    what: "the machine is switched off and on again",
    senseless: goesDown,
    downsMachine: true,
    strike: powerCycle,
  },
  {
    name: "killed",
    what: "the machine is switched off, and stays so",
    senseless: (operation, phase) =>
      operation.name === "drain"
        ? "a drain forces the pods off a machine that is gone, and leaves the machine as it is"
        : goesDown(operation, phase),
    downsMachine: true,
    strike: powerOff,
  },
  {
    name: "sigkill",
    what: "our own processes are killed, all at once: script, engine, program, provider",
    senseless: whileAtWork,
    strike: async ({ pid }) => kill(-pid, "SIGKILL"),
  },
  {
    name: "ctrl-c",
    what: "our own process is interrupted, as by Ctrl-C",
    senseless: whileAtWork,
    strike: async ({ pid }) => kill(pid, "SIGINT"),
  },
  {
    name: "disk-full",
    what: "containerd's folder is a file system of 32 MiB; after the failure it is made larger, as a person does",
    senseless: (operation, phase) =>
      phase.name === "binaries"
        ? undefined
        : "only what loads images fills a disk; it is made small before, while the binaries are copied",
    strike: shrinkImageStore,
  },
  {
    name: "oom-kubelet",
    what: "the kubelet gets SIGKILL, which is what the kernel does when memory ends",
    senseless: needsKubelet,
    strike: killKubelet,
  },
  {
    name: "apiserver-restarted",
    what: "the API server is killed; the kubelet starts it again",
    senseless: needsApi,
    strike: killComponent("kube-apiserver"),
  },
  {
    name: "etcd-restarted",
    what: "etcd is killed; the kubelet starts it again",
    senseless: needsApi,
    strike: killComponent("etcd"),
  },
  {
    name: "token-expired",
    what: "the bootstrap token ends before kubeadm has used it",
    senseless: (_operation, phase) => (phase.name === "join" ? undefined : "a token lives for one join"),
    strike: ({ ground, operation }) => ground.expireTokens(operation.target),
  },
  {
    name: "stale-state",
    what: "after the operation Pulumi's state is that from before it: a backup was restored, or a write was lost",
    senseless: (_operation, phase) => (phase.name === "end" ? undefined : "it comes after the operation"),
    prepare: ({ ground }) => ground.keepState(),
    strike: ({ ground }) => ground.restoreState(),
  },
];
