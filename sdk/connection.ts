import type * as pulumi from "@pulumi/pulumi";

/** A way into a machine. Of the keys, the agent and the password those that are given are tried, in this order. */
export interface WayArgs {
  /** An address or a name. */
  host: pulumi.Input<string>;
  /** Default 22. */
  port?: pulumi.Input<number>;
  /** Default root; another user needs sudo. */
  user?: pulumi.Input<string>;
  /** The private key's file on the controller: better than the key itself, which then is in no state. */
  privateKeyPath?: pulumi.Input<string>;
  privateKey?: pulumi.Input<string>;
  /** The keys of the SSH agent that runs where Pulumi does. */
  agent?: boolean;
  /** Kept as a secret, whatever it comes from; `privateKey` and `sudoPassword` too. */
  password?: pulumi.Input<string>;
  /** The host key, `ssh-ed25519 AAAA...`. Absent: the one that the first connection meets is pinned. */
  hostKey?: pulumi.Input<string | undefined>;
  /** The host through which it is reached, and so on. */
  jump?: WayArgs;
}

/** How a machine is reached. */
export interface ConnectionArgs extends WayArgs {
  /** In messages. */
  name?: pulumi.Input<string>;
  /** Of a user whom sudo asks for one. */
  sudoPassword?: pulumi.Input<string>;
}

/** What every resource on a machine has. */
export interface OnHostArgs {
  connection: pulumi.Input<ConnectionArgs>;
  /** The machine-id, from a `Host`. */
  instance: pulumi.Input<string>;
}
