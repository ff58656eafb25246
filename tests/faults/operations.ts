import type { Operation, Phase } from "./cell";

const CONTROL_PLANE = "control-plane-1";
const WORKER = "worker-2";

/** For faults that are about what comes after. */
const END: Phase = { name: "end" };

/** What every machine goes through before it is a member. */
function preparing(machine: string): Phase[] {
  return [
    { name: "machine", begins: new RegExp(`Machine ${machine}: (creating|recreating)`) },
    { name: "binaries", begins: new RegExp(`Binaries ${machine}-binaries: copying`) },
    { name: "images", begins: new RegExp(`Images ${machine}\\S*-images: loading images`) },
  ];
}

const evicting: Phase = { name: "evict", begins: new RegExp(`draining ${WORKER}: `) };

function readying(machine: string): Phase {
  return { name: "ready", begins: new RegExp(`Node ${machine}-node: waiting for Ready`) };
}

/** kubeadm's own first words may come within the second in which a status line is not said again. */
const joining: Phase[] = [
  { name: "join", begins: new RegExp(`Join ${WORKER}-join: (creating a join token|kubeadm join)`) },
  readying(WORKER),
];

export const OPERATIONS: readonly Operation[] = [
  {
    name: "create",
    what: "`npm start`, for a cluster of one control plane",
    before: undefined,
    after: 0,
    target: CONTROL_PLANE,
    command: ["up", "--config", "extras=true", "--config", "workers.count=0"],
    again: ["up"],
    phases: [...preparing(CONTROL_PLANE), { name: "init", begins: /kubeadm init: / }, readying(CONTROL_PLANE)],
  },
  {
    name: "join",
    what: `a second worker: \`npm start -- --config workers.count=2\` makes ${WORKER}`,
    before: 1,
    after: 2,
    target: WORKER,
    command: ["up", "--config", "workers.count=2"],
    again: ["up"],
    phases: [...preparing(WORKER), ...joining, END],
  },
  {
    name: "drain",
    what: `\`npm run node:drain -- ${WORKER}\`; it is run again to complete it`,
    before: 2,
    after: 2,
    target: WORKER,
    command: ["node-drain", WORKER],
    again: ["node-drain", WORKER],
    cordons: true,
    carriesPods: true,
    phases: [evicting],
  },
  {
    name: "replace",
    what: `\`npm run node:replace -- ${WORKER}\``,
    before: 2,
    after: 2,
    target: WORKER,
    command: ["node-replace", WORKER, "--yes"],
    again: ["up"],
    carriesPods: true,
    phases: [evicting, ...preparing(WORKER), ...joining, END],
  },
  {
    name: "remove",
    what: `a worker less: \`npm start -- --config workers.count=1\` removes ${WORKER}`,
    before: 2,
    after: 1,
    target: WORKER,
    command: ["up", "--config", "workers.count=1"],
    again: ["up"],
    carriesPods: true,
    phases: [evicting, { name: "machine", begins: new RegExp(`Machine ${WORKER}: deleting`) }, END],
  },
  {
    name: "destroy",
    what: "`npm run down`, of a cluster of one control plane",
    before: 0,
    after: undefined,
    target: CONTROL_PLANE,
    command: ["down", "--yes"],
    again: ["down", "--yes"],
    phases: [
      { name: "begin", begins: /: deleting/ },
      { name: "machine", begins: new RegExp(`Machine ${CONTROL_PLANE}: deleting`) },
    ],
  },
];
