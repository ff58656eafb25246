import type { CommandDefinition, OptionDefinition } from "../terminal/command-line";

const FROM: OptionDefinition = ["--from <id>", "id of the backup, or latest (default: latest)"];
const JSON_OUTPUT: OptionDefinition = ["--json", "print JSON"];

/** Commands for backups, by the names of their modules in cli/commands. */
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
};
