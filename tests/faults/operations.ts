import type { Operation, Phase, Size } from "./cell";

const CONTROL_PLANE = "control-plane-1";
const WORKER = "worker-2";
/** A control plane that joins and leaves. The phases of the other one that does have other names. */
const MEMBER = "control-plane-2";

function withWorkers(workers: number): Size {
  return { controlPlanes: 1, workers };
}

/** Without workers, so that the computer runs three machines. */
const ONE = withWorkers(0);
const THREE: Size = { controlPlanes: 3, workers: 0 };

/** The phase of faults that follow the command. */
const END: Phase = { name: "end" };

/** The phases before a machine joins. */
function preparationOf(machine: string): Phase[] {
  return [
    { name: "machine", begins: new RegExp(`Machine ${machine}: (creating|recreating)`) },
    { name: "binaries", begins: new RegExp(`Binaries ${machine}-binaries: copying`) },
    { name: "images", begins: new RegExp(`Images ${machine}\\S*-images: loading images`) },
  ];
}

const EVICT: Phase = { name: "evict", begins: new RegExp(`draining ${WORKER}: `) };

/** A kubelet that has its serving certificate may be Ready before the next status line. */
function readinessOf(machine: string): Phase {
  const begins = new RegExp(`Node ${machine}-node: waiting for (Ready|the kubelet's serving certificate)`);
  return { name: "ready", begins };
}

/** A status line is printed once a second at most, so kubeadm's first line may be missing. */
function joinOf(machine: string): Phase[] {
  return [
    { name: "join", begins: new RegExp(`Join ${machine}-join: (creating a join token|kubeadm join)`) },
    readinessOf(machine),
  ];
}

/** A control plane leaves etcd through another one, before its machine is deleted. */
const LEAVE: Phase = { name: "leave", begins: new RegExp(`Join ${MEMBER}-join: (removing the etcd member|etcd has)`) };

export const OPERATIONS: readonly Operation[] = [
  {
    name: "create",
    description: "`npm start` creates a cluster with one control plane",
    before: undefined,
    after: withWorkers(0),
    target: CONTROL_PLANE,
    command: ["up", "--config", "extras=true", "--config", "workers.count=0"],
    resume: ["up"],
    phases: [...preparationOf(CONTROL_PLANE), { name: "init", begins: /kubeadm init: / }, readinessOf(CONTROL_PLANE)],
  },
  {
    name: "join",
    description: `\`npm start -- --config workers.count=2\` adds a second worker, ${WORKER}`,
    before: withWorkers(1),
    after: withWorkers(2),
    target: WORKER,
    command: ["up", "--config", "workers.count=2"],
    resume: ["up"],
    phases: [...preparationOf(WORKER), ...joinOf(WORKER), END],
  },
  {
    name: "drain",
    description: `\`npm run node:drain -- ${WORKER}\`; the same command resumes it`,
    before: withWorkers(2),
    after: withWorkers(2),
    target: WORKER,
    command: ["node-drain", WORKER],
    resume: ["node-drain", WORKER],
    cordons: true,
    carriesPods: true,
    phases: [EVICT],
  },
  {
    name: "replace",
    description: `\`npm run node:replace -- ${WORKER}\``,
    before: withWorkers(2),
    after: withWorkers(2),
    target: WORKER,
    command: ["node-replace", WORKER, "--yes"],
    resume: ["up"],
    carriesPods: true,
    phases: [EVICT, ...preparationOf(WORKER), ...joinOf(WORKER), END],
  },
  {
    name: "remove",
    description: `\`npm start -- --config workers.count=1\` removes ${WORKER}`,
    before: withWorkers(2),
    after: withWorkers(1),
    target: WORKER,
    command: ["up", "--config", "workers.count=1"],
    resume: ["up"],
    carriesPods: true,
    phases: [EVICT, { name: "machine", begins: new RegExp(`Machine ${WORKER}: deleting`) }, END],
  },
  {
    name: "join-control-plane",
    description:
      "`npm start -- --config controlPlane.count=3` adds two control planes; the faults are at the first one",
    before: ONE,
    after: THREE,
    target: MEMBER,
    command: ["up", "--config", "controlPlane.count=3"],
    resume: ["up"],
    phases: [...preparationOf(MEMBER), ...joinOf(MEMBER), END],
  },
  {
    name: "replace-control-plane",
    description: `\`npm run node:replace -- ${MEMBER}\`, one of three control planes`,
    before: THREE,
    after: THREE,
    target: MEMBER,
    command: ["node-replace", MEMBER, "--yes"],
    resume: ["up"],
    phases: [LEAVE, ...preparationOf(MEMBER), ...joinOf(MEMBER), END],
  },
  {
    name: "remove-control-plane",
    description: `\`npm start -- --config controlPlane.count=1\` removes ${MEMBER} and control-plane-3`,
    before: THREE,
    after: ONE,
    target: MEMBER,
    command: ["up", "--config", "controlPlane.count=1"],
    resume: ["up"],
    phases: [LEAVE, { name: "machine", begins: new RegExp(`Machine ${MEMBER}: deleting`) }, END],
  },
  {
    name: "destroy",
    description: "`npm run down` deletes a cluster with one control plane",
    before: withWorkers(0),
    after: undefined,
    target: CONTROL_PLANE,
    command: ["down", "--yes"],
    resume: ["down", "--yes"],
    phases: [
      { name: "begin", begins: /: deleting/ },
      { name: "machine", begins: new RegExp(`Machine ${CONTROL_PLANE}: deleting`) },
    ],
  },
];
