import type { Inputs, Outputs } from "../../contracts/contract";
import { hostContract } from "../../contracts/host/host";
import { StepError, messageOf } from "../../common/errors";
import { printable } from "../../common/printable";
import type { HostFacts, MachineFacts } from "../../render/facts";
import { waitForCloudInit } from "../host/cloud-init";
import { readFacts } from "../host/facts";
import { readMachine } from "../host/on-machine";
import { register, type Context, type Handler, type Recorded } from "../rpc/handler";
import { type Connection, type Jump } from "../../contracts/connection";
import { describe } from "../ssh/connection";
import { machineName } from "../ssh/connection";
import { ConnectionError, HostKeyError } from "../ssh/errors";
import { fingerprint, sameKey } from "../ssh/host-key";
import type { Remote } from "../ssh/remote";

type HostInputs = Inputs<typeof hostContract>;
type HostOutputs = Outputs<typeof hostContract>;

type RecordedHost = Recorded<HostInputs, HostOutputs>;

async function readHost(
  context: Context,
  { connection, bootTimeout = 0 }: HostInputs,
  before?: HostOutputs,
): Promise<HostOutputs> {
  const machine =
    connection.hostKey === undefined ? context.connections.trust(connection) : context.connections.get(connection);
  machine.waitAtLeast(bootTimeout);
  context.status("connecting");
  await waitForCloudInit(context, machine);
  const facts = lastingFacts(await readFacts(machine, context.signal));
  const { hostKey, jumpHostKeys, boot } = await readIdentity(machine, context.signal);
  if (connection.hostKey === undefined || before) reportPin(context, hostKey, before?.hostKey);
  return { facts, instance: facts.machineId, hostKey, jumpHostKeys, boot };
}

/** Returns the host keys that the machine and its jump hosts present, and the machine's boot. */
async function readIdentity(machine: Remote, signal: AbortSignal) {
  const [hostKey, jumpHostKeys, boot] = await Promise.all([
    machine.hostKey(signal),
    machine.jumpHostKeys(signal),
    readBoot(machine, signal),
  ]);
  return { hostKey, jumpHostKeys, boot };
}

/** Removes the facts that the preflight reads in every run. */
function lastingFacts(all: MachineFacts): HostFacts {
  const {
    bootId: _1,
    clockSkewSeconds: _2,
    diskFreeMiB: _3,
    listeningPorts: _4,
    selinux: _5,
    firewall: _6,
    kubernetesState: _7,
    clusterCa: _8,
    kubeletRuntime: _9,
    dockerConfigured: _10,
    diskMiB: _11,
    ...facts
  } = all;
  return facts;
}

/**
 * Identifies the boot: the kernel's boot id, and the start of the first process, because a container has its host's
 * boot id.
 */
async function readBoot(machine: Remote, signal: AbortSignal): Promise<string> {
  const { stdout } = await machine.read("cat /proc/sys/kernel/random/boot_id; cut -d' ' -f22 /proc/1/stat", {
    step: "reading the boot time",
    signal,
  });
  return printable(stdout.trim().replaceAll("\n", "/")).slice(0, 64);
}

/** Reports a newly pinned host key. A first connection cannot verify it, so the user sees its fingerprint. */
function reportPin(context: Context, shown: string, pinned: string | undefined): void {
  if (pinned === undefined) context.info(`first connection: its host key ${fingerprint(shown)} is pinned`);
  else if (!sameKey(pinned, shown))
    context.warn(
      `the accepted host key ${fingerprint(shown)} is pinned from now on (it was ${fingerprint(pinned)}); ` +
        "remove it from recovery.acceptHostKeys",
    );
}

/** Adds the host keys that earlier connections pinned, where no key is configured. */
function withRecordedPins(connection: Connection, { inputs, outputs }: RecordedHost): Connection {
  return {
    ...withJumpPins(connection, inputs.connection, outputs.jumpHostKeys),
    hostKey: connection.hostKey ?? outputs.hostKey,
  };
}

/** Adds the pinned keys of jump hosts whose address and port are the same: another host has another key. */
function withJumpPins<T extends Pick<Connection, "jump">>(
  now: T,
  before: Pick<Connection, "jump">,
  [pinned, ...further]: readonly string[] = [],
): T {
  const jump: Jump | undefined = now.jump;
  if (!jump || before.jump?.host !== jump.host || before.jump.port !== jump.port) return now;
  const hostKey = jump.hostKey ?? pinned;
  return {
    ...now,
    jump: { ...withJumpPins(jump, before.jump, further), ...(hostKey === undefined ? {} : { hostKey }) },
  };
}

/**
 * Whether changed connection settings lead to the same machine, which then is not replaced: the machine-id decides. If
 * a new host key is configured and nothing answers yet, the machine is new and still boots.
 */
async function isSame({ connection }: HostInputs, old: RecordedHost, context: Context): Promise<boolean> {
  const machine = context.connections.get(withRecordedPins(connection, old));
  try {
    return (await machine.machineId(context.signal)) === old.outputs.instance;
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof ConnectionError)) throw error;
    const newKey = connection.hostKey !== undefined && !sameKey(connection.hostKey, old.outputs.hostKey);
    if (error instanceof HostKeyError ? connection.hostKey === undefined : newKey && error.retryable) return false;
    const cause = `its connection settings have changed, and the new ones fail: ${messageOf(error)}`;
    throw new StepError({
      step: "verifying that it is the same machine",
      machine: machine.label,
      cause,
      action: "nothing was changed on it; fix the new settings, or restore the previous ones",
    });
  }
}

async function create(context: Context, inputs: HostInputs): Promise<{ id: string; outputs: HostOutputs }> {
  return { id: machineName(inputs.connection), outputs: await readHost(context, inputs) };
}

/** A machine: its facts, identity and pinned host key. Creates nothing on it. */
const host: Handler<typeof hostContract> = {
  contract: hostContract,
  replaceOn: ["connection.host", "connection.port", "connection.hostKey", "connection.jump"],
  isSame,
  ignore: [
    "connection.privateKeyPath",
    "connection.privateKey",
    "connection.name",
    "connection.agent",
    "connection.password",
    "connection.sudoPassword",
    "bootTimeout",
  ],
  create,
  adopt: create,
  update: (context, _id, inputs, old) =>
    readHost(context, { ...inputs, connection: withRecordedPins(inputs.connection, old) }, old.outputs),
  async read(context, _id, old) {
    // Every connection verifies the pinned key, so no password is sent to a machine that presents another key.
    const connection = withRecordedPins(old.inputs.connection, old);
    if (context.unreachable.isMarkedGone(connection)) return undefined;
    const same = { inputs: { connection, instance: old.outputs.instance }, outputs: old.outputs };
    const current = await readMachine(context, same, async (machine) => ({
      ...same,
      outputs: { ...old.outputs, ...(await readIdentity(machine, context.signal)) },
    }));
    if (current && old.outputs.boot !== undefined && current.outputs.boot !== old.outputs.boot)
      context.warn(`${describe(connection)} was rebooted since the last run`);
    if (current) {
      reportPin(context, current.outputs.hostKey, old.outputs.hostKey);
      return { inputs: old.inputs, outputs: current.outputs };
    }
    if (context.unreachable.isMarkedGone(connection)) return undefined;
    // The machine was rebuilt: it has another machine-id, over a connection whose host key is verified.
    return { inputs: old.inputs, outputs: await readHost(context, { connection }, old.outputs) };
  },
};

export const hostResource = register(host);
