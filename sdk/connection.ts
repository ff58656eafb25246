import type * as pulumi from "@pulumi/pulumi";
import type { Connection, Jump } from "../contracts/connection";
import type { OnMachine } from "../contracts/on-machine";
import type { DeepInput } from "./resource";

type LoginArgs<T extends Jump> = { [K in keyof Omit<T, "jump" | "hostKey">]: DeepInput<Exclude<T[K], undefined>> } & {
  // An output without a value pins nothing: the host keys that an older state does not have.
  [K in keyof Pick<T, "hostKey">]: pulumi.Input<string | undefined>;
};

/** How to log in to an SSH server that only forwards connections (OpenSSH's ProxyJump). */
export type JumpArgs = LoginArgs<Jump> & {
  /** The SSH server through which this one is reached. */
  jump?: JumpArgs;
};

/** How to reach a machine over SSH. Passwords and `privateKey` are kept as secrets. */
export type ConnectionArgs = LoginArgs<Connection> & {
  /** The SSH server through which the machine is reached. */
  jump?: JumpArgs;
};

/** Arguments that every resource on a machine has. */
export type OnMachineArgs = { [K in keyof OnMachine]: DeepInput<OnMachine[K]> };
