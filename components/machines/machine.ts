import * as pulumi from "@pulumi/pulumi";
import type { ConnectionArgs } from "../../provider/sdk/connection";

/** A machine that can become a node, whatever made it. */
export interface Machine {
  /** Its hostname, and the node's name: a DNS label. */
  name: string;
  /** Where it is reached over SSH. */
  address: pulumi.Input<string>;
  /** Default 22. */
  port?: pulumi.Input<number>;
  /** Default root; another user needs sudo without a password. */
  user?: pulumi.Input<string>;
  /** The private key's file on the controller: better than the key itself, which then is in no state. */
  privateKeyPath?: pulumi.Input<string>;
  privateKey?: pulumi.Input<string>;
  /** The host key, `ssh-ed25519 AAAA...`. Absent: the one that the first connection meets is pinned. */
  hostKey?: pulumi.Input<string>;
  /** Where other nodes reach it. Default: `address`. */
  privateAddress?: pulumi.Input<string>;
  /** Default: the controller's architecture. */
  arch?: "amd64" | "arm64";
  /** What made the machine. When that goes, nothing on the machine needs undoing. */
  madeBy?: pulumi.Resource;
}

/** How the provider logs in. */
export function connectionOf(machine: Machine): ConnectionArgs {
  const { name, address, port, user, privateKeyPath, privateKey, hostKey } = machine;
  return {
    name,
    host: address,
    ...(port === undefined ? {} : { port }),
    ...(user === undefined ? {} : { user }),
    ...(privateKeyPath === undefined ? {} : { privateKeyPath }),
    ...(privateKey === undefined ? {} : { privateKey: pulumi.secret(privateKey) }),
    ...(hostKey === undefined ? {} : { hostKey }),
  };
}

/** The address that the cluster uses for the machine. */
export function nodeAddress(machine: Machine): pulumi.Input<string> {
  return machine.privateAddress ?? machine.address;
}

export function controllerArch(): "amd64" | "arm64" {
  return process.arch === "arm64" ? "arm64" : "amd64";
}
