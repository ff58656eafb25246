import type * as pulumi from "@pulumi/pulumi";
import type { WrittenConnection, WrittenJump } from "../contracts/connection";
import type { WrittenOnMachine } from "../contracts/on-machine";
import type { DeepInput } from "./resource";

type LoginArgs<T extends WrittenJump> = {
  [K in keyof Omit<T, "jump" | "hostKey">]: DeepInput<Exclude<T[K], undefined>>;
} & {
  // An output without a value pins nothing: the host keys that an older state does not have.
  [K in keyof Pick<T, "hostKey">]: pulumi.Input<string | undefined>;
};

/** How to log in to an SSH server that only forwards connections (OpenSSH's ProxyJump). */
export type JumpArgs = LoginArgs<WrittenJump> & {
  /** The SSH server through which this one is reached. */
  jump?: JumpArgs;
};

/** How to reach a machine over SSH. Passwords and `privateKey` are kept as secrets. */
export type ConnectionArgs = LoginArgs<WrittenConnection> & {
  /** The SSH server through which the machine is reached. */
  jump?: JumpArgs;
};

/** Arguments that every resource on a machine has. */
export type OnMachineArgs = { [K in keyof WrittenOnMachine]: DeepInput<WrittenOnMachine[K]> };
