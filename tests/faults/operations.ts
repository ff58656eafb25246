import type { Operation, Phase } from "./cell";

const CONTROL_PLANE = "control-plane-1";
const WORKER = "worker-2";

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

function readinessOf(machine: string): Phase {
  return { name: "ready", begins: new RegExp(`Node ${machine}-node: waiting for Ready`) };
}

/** A status line is printed once a second at most, so kubeadm's first line may be missing. */
const JOIN: Phase[] = [
  { name: "join", begins: new RegExp(`Join ${WORKER}-join: (creating a join token|kubeadm join)`) },
  readinessOf(WORKER),
];

export const OPERATIONS: readonly Operation[] = [
  {
    name: "create",
    description: "`npm start` creates a cluster with one control plane",
    before: undefined,
    after: 0,
    target: CONTROL_PLANE,
    command: ["up", "--config", "extras=true", "--config", "workers.count=0"],
    resume: ["up"],
    phases: [...preparationOf(CONTROL_PLANE), { name: "init", begins: /kubeadm init: / }, readinessOf(CONTROL_PLANE)],
  },
  {
    name: "join",
    description: `\`npm start -- --config workers.count=2\` adds a second worker, ${WORKER}`,
    before: 1,
    after: 2,
    target: WORKER,
    command: ["up", "--config", "workers.count=2"],
    resume: ["up"],
    phases: [...preparationOf(WORKER), ...JOIN, END],
  },
  {
    name: "drain",
    description: `\`npm run node:drain -- ${WORKER}\`; the same command resumes it`,
    before: 2,
    after: 2,
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
    before: 2,
    after: 2,
    target: WORKER,
    command: ["node-replace", WORKER, "--yes"],
    resume: ["up"],
    carriesPods: true,
    phases: [EVICT, ...preparationOf(WORKER), ...JOIN, END],
  },
  {
    name: "remove",
    description: `\`npm start -- --config workers.count=1\` removes ${WORKER}`,
    before: 2,
    after: 1,
    target: WORKER,
    command: ["up", "--config", "workers.count=1"],
    resume: ["up"],
    carriesPods: true,
    phases: [EVICT, { name: "machine", begins: new RegExp(`Machine ${WORKER}: deleting`) }, END],
  },
  {
    name: "destroy",
    description: "`npm run down` deletes a cluster with one control plane",
    before: 0,
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
