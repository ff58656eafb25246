import { existsSync, readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { optional } from "../../common/optional";
import { localPath } from "../../common/portable-path";
import type { ConnectionArgs, JumpArgs } from "../../sdk/connection";
import type { Host } from "../../sdk/host";

/**
 * A machine that can become a node, and how to log in to it over SSH.
 *
 * @example
 * const machine: Machine = { name: "worker-1", host: "10.0.0.11", user: "admin", privateKeyPath:
 * "/home/me/.ssh/id_ed25519" };
 */
export interface Machine extends Omit<ConnectionArgs, "name"> {
  /** Hostname of the machine and name of its node: a DNS label. */
  name: string;
  /**
   * IP address at which other nodes reach the machine.
   * @default `host`
   */
  privateAddress?: pulumi.Input<string>;
  /**
   * Architecture of the machine's CPU.
   * @default the architecture of the computer that runs Pulumi
   */
  arch?: "amd64" | "arm64";
  /**
   * Seconds until a machine that boots must answer SSH for the first time.
   * @default 45
   */
  bootTimeout?: number;
  /** The resource that created the machine. If it is deleted, nothing is removed from the machine first. */
  madeBy?: pulumi.Resource;
}

/**
 * An SSH server through which a machine is reached (OpenSSH's ProxyJump). It only forwards connections; no command
 * runs on it.
 */
export type JumpHost = JumpArgs;

/** The provider's connection to a machine, with its secrets marked. */
export function connectionOf({ name, sudoPassword, ...machine }: Machine): ConnectionArgs {
  return { ...login(machine), name, ...optional({ sudoPassword: asSecret(sudoPassword) }) };
}

function login(server: JumpArgs): JumpArgs {
  const { host, port, user, privateKeyPath, privateKey, agent, password, hostKey, jump } = server;
  return {
    host,
    ...optional({
      port,
      user,
      privateKeyPath,
      privateKey: asSecret(privateKey),
      agent,
      password: asSecret(password),
      hostKey,
      jump: jump && login(jump),
    }),
  };
}

function asSecret<T>(value: pulumi.Input<T> | undefined): pulumi.Output<pulumi.Unwrap<T>> | undefined {
  return value === undefined ? undefined : pulumi.secret(value);
}

/** Login of a `remote.Command` of `@pulumi/command` at an SSH server. It takes the private key itself. */
export interface CommandLogin {
  host: pulumi.Input<string>;
  port?: pulumi.Input<number>;
  user: pulumi.Input<string>;
  password?: pulumi.Input<string>;
  privateKey?: pulumi.Input<string>;
  hostKey?: pulumi.Input<string>;
}

/** Connection of a `remote.Command` of `@pulumi/command`. */
export interface CommandConnection extends CommandLogin {
  /** The jump host. */
  proxy?: CommandLogin;
}

/**
 * The connection to a machine for commands of your own, with `@pulumi/command`. The private key is read from its file
 * and becomes a secret of the state. `@pulumi/command` uses the SSH agent of your shell, and at most
 * one jump host. It cannot verify host keys of the type RSA.
 *
 * @throws pulumi.RunError if the machine is behind several jump hosts
 * @example
 * new command.remote.Command("greet", { connection: commandConnection(machine), create: "hostname" });
 */
export function commandConnection(machine: Machine): CommandConnection {
  assertCommandsReach(machine);
  return { ...commandLogin(machine), ...optional({ proxy: machine.jump && commandLogin(machine.jump) }) };
}

/** @throws pulumi.RunError if the machine is behind several jump hosts */
export function assertCommandsReach({ name, jump }: Machine): void {
  if (!jump?.jump) return;
  throw new pulumi.RunError(
    `commands on ${name}: @pulumi/command supports one jump host, and this machine is behind several; ` +
      "remove the commands, or give the machine a route with one jump host",
  );
}

function commandLogin({
  host,
  port,
  user = "root",
  privateKey,
  privateKeyPath,
  password,
  hostKey,
}: JumpArgs): CommandLogin {
  const key = privateKey ?? (privateKeyPath === undefined ? undefined : pulumi.output(privateKeyPath).apply(readKey));
  return {
    host,
    user,
    ...optional({
      port,
      password: asSecret(password),
      privateKey: asSecret(key),
      hostKey: hostKey as pulumi.Input<string>,
    }),
  };
}

/** The key of a machine that a preview has not created yet is empty. */
function readKey(path: string): string {
  const file = localPath(path);
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

/** The same connection with the host keys that the `Host` met, on the machine and on its jump hosts. */
export function withPinnedHostKeys(connection: ConnectionArgs, host: Host): ConnectionArgs {
  const { jump } = connection;
  return { ...connection, hostKey: host.hostKey, ...optional({ jump: jump && pinJump(jump, host, 0) }) };
}

function pinJump(jump: JumpArgs, host: Host, index: number): JumpArgs {
  const pinned = host.jumpHostKeys.apply((keys) => keys?.[index]);
  return {
    ...jump,
    hostKey: jump.hostKey ?? pinned,
    ...optional({ jump: jump.jump && pinJump(jump.jump, host, index + 1) }),
  };
}

/** The address of the machine's node. */
export function nodeAddress(machine: Machine): pulumi.Input<string> {
  return machine.privateAddress ?? machine.host;
}

/** Option of a resource on the machine: nothing is removed from a machine that is deleted itself. */
export function deletedWithMachine({
  madeBy,
}: Pick<Machine, "madeBy">): Pick<pulumi.CustomResourceOptions, "deletedWith"> {
  return optional({ deletedWith: madeBy });
}

/** Architecture of the computer that runs Pulumi. */
export function controllerArch(): "amd64" | "arm64" {
  return process.arch === "arm64" ? "arm64" : "amd64";
}
