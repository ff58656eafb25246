import { existsSync, readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import type { ConnectionArgs, JumpArgs } from "../../sdk/connection";
import type { Host } from "../../sdk/host";

/** A machine that can become a node, whatever made it, and the way into it. */
export interface Machine extends Omit<ConnectionArgs, "name" | "host"> {
  /** Its hostname, and the node's name: a DNS label. */
  name: string;
  /** Where it is reached over SSH. */
  address: pulumi.Input<string>;
  /** Where other nodes reach it. Default: `address`. */
  privateAddress?: pulumi.Input<string>;
  /** Default: the controller's architecture. */
  arch?: "amd64" | "arm64";
  /** Seconds in which it may boot before it answers for the first time. Default 45. */
  bootTimeout?: number;
  /** What made the machine. When that goes, nothing on the machine needs undoing. */
  madeBy?: pulumi.Resource;
}

/** A host on the way to a machine, as OpenSSH's ProxyJump: nothing is done on it. */
export type JumpHost = JumpArgs;

/** How the provider logs in. */
export function connectionOf({ name, address, sudoPassword, ...machine }: Machine): ConnectionArgs {
  return {
    ...way({ ...machine, host: address }),
    name,
    ...(sudoPassword === undefined ? {} : { sudoPassword: pulumi.secret(sudoPassword) }),
  };
}

function way({ host, port, user, privateKeyPath, privateKey, agent, password, hostKey, jump }: JumpArgs): JumpArgs {
  return {
    host,
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
    ...(privateKeyPath === undefined ? {} : { privateKeyPath }),
    ...(privateKey === undefined ? {} : { privateKey: pulumi.secret(privateKey) }),
    ...(agent === undefined ? {} : { agent }),
    ...(password === undefined ? {} : { password: pulumi.secret(password) }),
    ...(hostKey === undefined ? {} : { hostKey }),
    ...(jump === undefined ? {} : { jump: way(jump) }),
  };
}

/** The same machine for a `remote.Command` of `@pulumi/command`, which takes the key itself, knows no jump host, and pins nothing. */
export interface CommandConnection {
  host: pulumi.Input<string>;
  port?: pulumi.Input<number>;
  user: pulumi.Input<string>;
  password?: pulumi.Input<string>;
  privateKey?: pulumi.Input<string>;
}

/** How a person's own commands get to the machine; the key is read when there is one, and is a secret. */
export function commandConnection({
  address,
  port,
  user = "root",
  privateKey,
  privateKeyPath,
  password,
}: Machine): CommandConnection {
  const key =
    privateKey ??
    (privateKeyPath === undefined
      ? undefined
      : pulumi.output(privateKeyPath).apply((path) => (existsSync(path) ? readFileSync(path, "utf8") : "")));
  return {
    host: address,
    user,
    ...(port === undefined ? {} : { port }),
    ...(password === undefined ? {} : { password: pulumi.secret(password) }),
    ...(key === undefined ? {} : { privateKey: pulumi.secret(key) }),
  };
}

/** From here on the pinned keys are those that the first connection met, on the machine and on the way to it. */
export function pinned(connection: ConnectionArgs, host: Host): ConnectionArgs {
  return {
    ...connection,
    hostKey: host.hostKey,
    ...(connection.jump ? { jump: pinnedJump(connection.jump, host, 0) } : {}),
  };
}

function pinnedJump(jump: JumpArgs, host: Host, index: number): JumpArgs {
  const met = host.jumpHostKeys.apply((keys) => keys?.[index]);
  return {
    ...jump,
    hostKey: jump.hostKey ?? met,
    ...(jump.jump ? { jump: pinnedJump(jump.jump, host, index + 1) } : {}),
  };
}

/** The address that the cluster uses for the machine. */
export function nodeAddress(machine: Machine): pulumi.Input<string> {
  return machine.privateAddress ?? machine.address;
}

export function controllerArch(): "amd64" | "arm64" {
  return process.arch === "arm64" ? "arm64" : "amd64";
}
