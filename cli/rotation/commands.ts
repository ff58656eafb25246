import { YES } from "../nodes/commands";
import type { CommandDefinition } from "../terminal/command-line";

/** The command that replaces the CAs, by the name of its module in cli/commands. */
export const ROTATION_COMMANDS: Readonly<Record<string, CommandDefinition>> = {
  "rotate-ca": {
    name: "rotate-ca",
    summary: "Replaces the cluster's CAs and the key of its service accounts, one phase a run.",
    details:
      "Phase 1 lets everything trust the new CAs too, phase 2 reissues all certificates, phase 3 drops the previous " +
      "CAs. It prints what a phase does, and asks. It can be interrupted: the next run continues.",
    options: [
      ["--only <names>", "some of cluster,etcd,front-proxy,service-account (default: all)"],
      ["--plan", "print the plan only"],
      YES,
    ],
    examples: [
      ["--plan", "show what the next phase would do"],
      ["", "do the next phase, after a question"],
      ["--only service-account", "replace the key of the service accounts only"],
    ],
  },
};
