import type * as pulumi from "@pulumi/pulumi";

/** How a machine is reached; see provider/ssh/connection.ts for what each means. */
export interface ConnectionArgs {
  name?: pulumi.Input<string>;
  host: pulumi.Input<string>;
  port?: pulumi.Input<number>;
  user?: pulumi.Input<string>;
  privateKeyPath?: pulumi.Input<string>;
  privateKey?: pulumi.Input<string>;
  hostKey?: pulumi.Input<string>;
}

/** What every resource on a machine has. */
export interface OnHostArgs {
  connection: pulumi.Input<ConnectionArgs>;
  /** The machine-id, from a `Host`. */
  instance: pulumi.Input<string>;
}
