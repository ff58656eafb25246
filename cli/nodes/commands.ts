import type { CommandDefinition, OptionDefinition } from "../terminal/command-line";

export const NODE = ["<node>", "name of the node, such as worker-2"] as const;
export const YES: OptionDefinition = ["--yes", "do not ask for confirmation"];
const DRAIN: readonly OptionDefinition[] = [
  ["--timeout <seconds>", "time limit of the drain"],
  ["--delete-local-data", "evict pods with emptyDir volumes, whose data is deleted"],
  ["--delete-unmanaged", "evict pods without a controller, which nothing recreates"],
  ["--force", "allow both, and delete the pods of a node that does not respond"],
];

/** Commands for single nodes, by the names of their modules in cli/commands. */
export const NODE_COMMANDS: Readonly<Record<string, CommandDefinition>> = {
  "node-join": {
    name: "node join",
    summary: "Adds workers to a pool: created machines by --count, a machine of yours by --host.",
    options: [
      ["--pool <name>", "pool to extend (default: workers)"],
      ["--count <number>", "number of machines to create (default: 1)"],
      ["--host <address>", "address or ssh alias of your machine"],
      ["--user <name>", "login of your machine"],
      ["--key <file>", "private key of the login"],
      ["--agent", "use the keys of the SSH agent"],
      ["--port <number>", "SSH port"],
      ["--jump <user@host:port>", "SSH jump host"],
      ["--name <name>", "node name (default: from the host)"],
      ["--private-address <address>", "address of the machine inside the cluster network"],
      ["--host-key <key>", "expected SSH host key"],
    ],
    examples: [
      ["--pool workers --count 2", "create two more workers"],
      ["--host 10.0.0.9 --user admin --key ~/.ssh/id_ed25519", "add a machine of yours"],
    ],
  },
  "node-drain": {
    name: "node drain",
    summary: "Cordons a node and evicts its pods within their disruption budgets.",
    arguments: [NODE],
    options: [...DRAIN, ["--keep-cordoned", "leave the node cordoned if the drain fails"]],
    examples: [["worker-2", "drain worker-2"]],
  },
  "node-uncordon": {
    name: "node uncordon",
    summary: "Makes a node schedulable again.",
    arguments: [NODE],
    examples: [["worker-2", "uncordon worker-2"]],
  },
  "node-replace": {
    name: "node replace",
    summary: "Drains a node, recreates its machine and joins it again.",
    arguments: [NODE],
    options: [...DRAIN, ["--surge", "join a new machine before the old one leaves"], YES],
    examples: [
      ["worker-2", "show the plan, ask, and replace worker-2"],
      ["worker-2 --surge --yes", "add a new machine first, without a question"],
    ],
  },
  "node-reset": {
    name: "node reset",
    summary: "Drains a node, removes it from the cluster and removes Kubernetes from its machine, which stays.",
    arguments: [NODE],
    options: [YES],
    examples: [["worker-2", "reset worker-2"]],
  },
  recover: {
    name: "recover",
    summary: "Recovers etcd on a control plane that is left when its majority is lost.",
    details:
      "It makes etcd a cluster of one with the data of that control plane, proves it, and keeps a copy of the data. " +
      "Writes that only the lost members had are lost. Afterwards `up --refresh` rebuilds the other control planes.",
    arguments: [["<node>", "name of a control plane, such as control-plane-3"]],
    options: [["--plan", "print the plan only"], YES],
    examples: [
      ["control-plane-3 --plan", "show what would be done"],
      ["control-plane-3", "recover etcd on control-plane-3, after a question"],
    ],
  },
};
