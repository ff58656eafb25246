import type * as pulumi from "@pulumi/pulumi";
import { z } from "zod";
import { strict } from "../fields/fields";
import { complaint } from "../fields/problems";

const commandName = z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, {
  error: complaint("is not a valid name of a command", "use lower-case letters, digits and inner dashes"),
});

const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, {
  error: complaint("is not the name of an environment variable", "use letters, digits and _, and no digit first"),
});

const command = strict({
  /** Name of the command, a part of its resource's name: `worker-1-after-join-NAME`. */
  name: commandName,
  /**
   * Script that `sh -e` runs on the machine, as the user with whom Kubewright logs in: write `sudo` where it needs
   * root. `KUBEWRIGHT_NODE` is the name of the node.
   */
  script: z.string(),
  /** Environment variables of the script. Their values are secrets of the state, and no command line has them. */
  environment: z.record(variableName, z.string()).default({}),
});

const commandList = z.array(command).superRefine((commands, context) => {
  commands.forEach(({ name }, index) => {
    if (commands.findIndex((other) => other.name === name) < index)
      context.addIssue({
        code: "custom",
        path: [index, "name"],
        message: complaint(`${name} is there twice`, "rename one"),
      });
  });
});

/** When the commands of a pool run. */
export const commandsFields = {
  /** After the node has joined and is Ready, and again when the machine joins again or the script changes. */
  afterJoin: commandList.default([]),
  /**
   * Before the node is drained because it leaves the cluster. A command that is removed from the configuration runs
   * once more: docs/nodes.md says how to prevent it.
   */
  beforeDrain: commandList.default([]),
  /**
   * After the node's kubelet has another version, and when the script changes. `KUBEWRIGHT_VERSION` is the new version.
   */
  afterUpgrade: commandList.default([]),
};

export const PHASES = ["afterJoin", "beforeDrain", "afterUpgrade"] as const;
export type CommandPhase = (typeof PHASES)[number];

/** A command of the user's own on every machine of a pool. */
export interface NodeCommand {
  /** Name of the command, a part of its resource's name: `worker-1-after-join-NAME`. */
  name: string;
  /**
   * Script that `sh -e` runs on the machine, as the user of the machine's connection. `KUBEWRIGHT_NODE` is the name of
   * the node, and after an upgrade `KUBEWRIGHT_VERSION` is its version.
   */
  script: string;
  /**
   * Environment variables of the script. Their values are secrets of the state.
   * @default none
   */
  environment?: Record<string, pulumi.Input<string>>;
}

/** Commands of the user's own, by the time at which they run (docs/nodes.md). Those of one time run in order. */
export type PoolCommands = { [Phase in CommandPhase]?: readonly NodeCommand[] };

export function hasAnyCommand(commands: PoolCommands): boolean {
  return PHASES.some((phase) => (commands[phase] ?? []).length > 0);
}
