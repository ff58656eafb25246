import * as pulumi from "@pulumi/pulumi";
import { RUN_SCRIPT, scriptWithEnvironment } from "../../render/command-script";
import { loadSdk, type InputArgs, type ResourceType } from "../machines/clouds/sdk";
import { assertCommandsReach, commandConnection } from "../machines/machine";
import { type CommandPhase, type NodeCommand, type PoolCommands, hasAnyCommand } from "../nodes/commands";
import type { PoolArgs } from "../nodes/pool";
import { inCluster } from "./cluster-handle";
import type { ClusterMember } from "./member";
import type { ClusterScope } from "./step";

/** Arguments of a `remote.Command` of @pulumi/command. */
interface CommandArgs {
  connection: object;
  create?: string;
  update?: string;
  delete?: string;
  stdin: string;
  triggers: unknown[];
  logging?: "none";
}

interface CommandSdk {
  remote: { Command: ResourceType<InputArgs<CommandArgs>> };
}

/** The part of a command's resource name, and the operation of the resource that runs the script. */
const OPERATIONS = {
  afterJoin: { suffix: "after-join", script: { create: RUN_SCRIPT } },
  // The engine deletes the command before the node on which it depends, and the node is drained when it is deleted.
  beforeDrain: { suffix: "before-drain", script: { delete: RUN_SCRIPT } },
  afterUpgrade: { suffix: "after-upgrade", script: { update: RUN_SCRIPT } },
} as const;

export function hasCommands(phase: CommandPhase): (member: ClusterMember) => boolean {
  return (member) => commandsOf(member, phase).length > 0;
}

/** A pool of the configuration: its property's path, and its commands. */
export interface ConfiguredPool {
  /** `workers`, `pools.gpu` */
  path: string;
  name: string;
  commands: PoolCommands;
}

/**
 * Checks, before any machine is created, that the package is installed with which commands run.
 * @throws pulumi.RunError with the property's path and the installation command
 */
export function assertCommandPackage(pools: readonly ConfiguredPool[]): void {
  const first = pools.find(({ commands }) => hasAnyCommand(commands));
  if (first) loadCommand(first.name, `${first.path}.commands: `);
}

/**
 * Checks that the commands of all pools can run.
 * @throws pulumi.RunError with the next action
 */
export function assertCommandsRun(pools: readonly PoolArgs[]): void {
  for (const { name, machines } of pools.filter(({ commands = {} }) => hasAnyCommand(commands))) {
    loadCommand(name);
    machines.forEach(assertCommandsReach);
  }
}

function loadCommand(pool: string, property = ""): CommandSdk["remote"]["Command"] {
  return loadSdk<CommandSdk>("@pulumi/command", `${property}commands of the pool ${pool}`).remote.Command;
}

function commandsOf({ pool }: ClusterMember, phase: CommandPhase): readonly NodeCommand[] {
  return pool?.commands?.[phase] ?? [];
}

/**
 * Registers the commands of a pool on one of its machines, each after the one before.
 * @returns the resource that comes after all others
 */
export function addCommands(
  phase: CommandPhase,
  scope: ClusterScope,
  node: pulumi.CustomResource,
): pulumi.CustomResource {
  const commands = commandsOf(scope.member, phase);
  // The engine deletes resources in the reverse order.
  const ordered = phase === "beforeDrain" ? [...commands].reverse() : commands;
  return ordered.reduce<pulumi.CustomResource>(
    (previous, command) => addCommand(phase, { ...scope, after: [...scope.after, previous] }, { command, node }),
    node,
  );
}

function addCommand(
  phase: CommandPhase,
  { member, after, cluster }: ClusterScope,
  { command, node }: { command: NodeCommand; node: pulumi.CustomResource },
): pulumi.CustomResource {
  const Command = loadCommand(member.poolName);
  const { suffix, script } = OPERATIONS[phase];
  const hasSecrets = Object.keys(command.environment ?? {}).length > 0;
  return new Command(
    member.resourceName(`${suffix}-${command.name}`),
    {
      connection: commandConnection({ ...member.machine, hostKey: member.host.hostKey }),
      ...script,
      stdin: stdinOf(phase, member, command),
      // A node that leaves takes the command with it: the new node runs the command again.
      triggers: [node.id],
      ...(hasSecrets ? { logging: "none" as const } : {}),
    },
    {
      ...inCluster(cluster, member.groups.node, after),
      ...(hasSecrets ? { additionalSecretOutputs: ["stdout", "stderr"] } : {}),
    },
  );
}

function stdinOf(
  phase: CommandPhase,
  member: ClusterMember,
  { script, environment = {} }: NodeCommand,
): pulumi.Input<string> {
  const known = {
    KUBEWRIGHT_NODE: member.name,
    ...(phase === "afterUpgrade" ? { KUBEWRIGHT_VERSION: member.kubeletVersion } : {}),
  };
  if (Object.keys(environment).length === 0) return scriptWithEnvironment(script, known);
  return pulumi.secret(environment).apply((own) => scriptWithEnvironment(script, { ...known, ...own }));
}
