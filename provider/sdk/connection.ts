import type * as pulumi from "@pulumi/pulumi";

/** A way into a machine; see provider/ssh/connection.ts for what each means. */
export interface WayArgs {
  host: pulumi.Input<string>;
  port?: pulumi.Input<number>;
  user?: pulumi.Input<string>;
  privateKeyPath?: pulumi.Input<string>;
  privateKey?: pulumi.Input<string>;
  agent?: boolean;
  password?: pulumi.Input<string>;
  hostKey?: pulumi.Input<string | undefined>;
  jump?: WayArgs;
}

/** How a machine is reached. */
export interface ConnectionArgs extends WayArgs {
  name?: pulumi.Input<string>;
  sudoPassword?: pulumi.Input<string>;
}

/** What every resource on a machine has. */
export interface OnHostArgs {
  connection: pulumi.Input<ConnectionArgs>;
  /** The machine-id, from a `Host`. */
  instance: pulumi.Input<string>;
}
