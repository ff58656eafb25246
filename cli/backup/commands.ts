import type { CommandDefinition, OptionDefinition } from "../terminal/command-line";

const FROM: OptionDefinition = ["--from <id>", "id of the backup, or latest (default: latest)"];
const YES: OptionDefinition = ["--yes", "do not ask for confirmation"];
const JSON_OUTPUT: OptionDefinition = ["--json", "print JSON"];

/** Commands for backups and lost states, by the names of their modules in cli/commands. */
export const BACKUP_COMMANDS: Readonly<Record<string, CommandDefinition>> = {
  backup: {
    name: "backup",
    summary: "Backs up the cluster's state into the repository of the configuration.",
    details:
      "It takes a snapshot of etcd, proves that it can be restored, and stores it encrypted, with the keys of the " +
      "cluster's authorities and its configuration.",
    examples: [["", "back up stack dev"]],
  },
  "backup-list": {
    name: "backup list",
    summary: "Lists the backups in the repository.",
    options: [JSON_OUTPUT],
    examples: [["", "list the backups of stack dev"]],
  },
  "backup-drill": {
    name: "backup drill",
    summary: "Restores a backup into a scratch etcd on a control plane, and compares it with what was recorded.",
    details: "It changes nothing in the cluster.",
    options: [FROM],
    examples: [["", "try the newest backup"]],
  },
  restore: {
    name: "restore",
    summary: "Restores the cluster's state from a backup.",
    details:
      "It prints the plan first, with everything that will be lost, and asks. The API is away for about a minute; " +
      "pods continue to run. When the restored state does not become healthy, or on Ctrl-C, the previous state is " +
      "put back; after a killed command, the next one does it.",
    options: [FROM, ["--plan", "print the plan only"], YES],
    examples: [
      ["--plan", "show what the newest backup would bring back, and what would be lost"],
      ["--from 1a2b3c4d --yes", "restore a backup without a question"],
    ],
  },
  adopt: {
    name: "adopt",
    summary: "Takes a running cluster into a new state, after its state was lost.",
    details:
      "It compares every machine with the configuration, changes nothing on them and in the cluster, shows what it " +
      "has found, and asks. What differs is left for the next update. A machine that is missing, or that belongs to " +
      "another cluster, refuses the adoption. Exit codes: 0 adopted, or can be adopted, 1 refused.",
    options: [["--plan", "print what would be adopted, and what differs"], YES, JSON_OUTPUT],
    examples: [
      ["--plan", "show what would be adopted into stack dev"],
      ["--stack prod", "adopt the cluster of stack prod, after a question"],
    ],
  },
};
