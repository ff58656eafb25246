import type { Inputs, Outputs } from "../../../contracts/contract";
import { dockerMachineContract } from "../../../contracts/docker/machine";
import { messageOf, StepError } from "../../../common/errors";
import { optional } from "../../../common/optional";
import { addressIn } from "../../../render/cidr";
import { PartialFailure, type Context, type Handler, type Recorded } from "../../rpc/handler";
import { containerName, type MachineSpec } from "../../docker/arguments";
import { findContainer, type Container } from "../../docker/container";
import { ensureDaemon, findDaemon } from "../../docker/daemon";
import {
  describeMachine,
  ensureContainer,
  removeMachine,
  resizeMachine,
  setAuthorizedKey,
  startMachine,
} from "../../docker/machine";
import { readInotifyShortage } from "../../docker/inotify";
import { requireNetwork } from "../../docker/network";
import { FIRST_OFFSET } from "../../docker/subnets";

const USER = "root";

type MachineInputs = Inputs<typeof dockerMachineContract>;
type MachineOutputs = Outputs<typeof dockerMachineContract>;

/**
 * A container that behaves like a machine, with systemd, sshd and its own address. Other resources reach it only by
 * SSH.
 */
export const machineResource: Handler<typeof dockerMachineContract> = {
  contract: dockerMachineContract,
  replaceOn: ["stack", "hostname", "network", "fixedAddress"],
  // The machine keeps its address when its position changes. Another image concerns new machines only: the disk of a
  // control plane has the cluster's data.
  ignore: ["index", "image"],
  create,
  adopt,
  update,
  read,
  delete: remove,
};

async function create(context: Context, inputs: MachineInputs): Promise<{ id: string; outputs: MachineOutputs }> {
  const { settings, status, signal } = context;
  await ensureDaemon(settings.dockerEnvironment, status, signal);
  const spec = await specOf(inputs, signal);
  const id = await ensureContainer(spec, context.docker, status, signal);
  try {
    return { id, outputs: await start(context, id, inputs) };
  } catch (error) {
    // The container exists: record it, so that the next `up` starts it and `destroy` removes it.
    throw new PartialFailure(messageOf(error), id, unfinished(id, spec));
  }
}

/** Finds the container by its name and its labels. It must run: what is on it is read next. */
async function adopt({ signal }: Context, inputs: MachineInputs): Promise<{ id: string; outputs: MachineOutputs }> {
  const name = containerName(inputs);
  const container = await findContainer(name, signal);
  const isOwn = container?.stack === inputs.stack && container.machine === inputs.hostname;
  if (container?.running && isOwn)
    return { id: container.id, outputs: { ...(await describeMachine(container, signal)), user: USER } };
  throw new StepError({
    step: "adopting the machine",
    machine: inputs.hostname,
    cause: isOwn ? `its container ${name} does not run` : `Docker has no container ${name} of this stack`,
    action: isOwn
      ? `start it with \`docker start ${name}\``
      : "remove the machine from the configuration, adopt the others, and add it again afterwards",
  });
}

async function specOf({ fixedAddress, index = 0, ...rest }: MachineInputs, signal: AbortSignal): Promise<MachineSpec> {
  if (fixedAddress !== undefined) return { ...rest, address: fixedAddress };
  const { subnet } = await requireNetwork(rest, signal);
  return { ...rest, address: addressIn(subnet, FIRST_OFFSET + index) };
}

async function start(
  { settings, status, warn, signal }: Context,
  id: string,
  { hostname }: MachineInputs,
): Promise<MachineOutputs> {
  const machine = await startMachine(id, hostname, status, signal, settings.patience);
  const shortage = await readInotifyShortage(id, signal);
  if (shortage) warn(shortage);
  return { ...machine, user: USER };
}

function unfinished(containerId: string, { address }: MachineSpec): MachineOutputs {
  return {
    containerId,
    address,
    port: 22,
    user: USER,
    hostKey: "",
    privateAddress: address,
    apiEndpoint: `${address}:6443`,
  };
}

/** Updates what can change in place: whether the machine runs, its size, and the authorized key. */
async function update(context: Context, id: string, inputs: MachineInputs): Promise<MachineOutputs> {
  const { settings, status, signal } = context;
  const daemon = await ensureDaemon(settings.dockerEnvironment, status, signal);
  const container = await findContainer(id, signal);
  if (!container) {
    throw new StepError({
      step: "update the machine",
      machine: inputs.hostname,
      cause: "its container no longer exists",
      action: "run `pulumi up --refresh` to recreate it",
    });
  }
  if (hasOtherSize(container, inputs)) await resizeMachine(id, inputs, daemon, signal);
  await setAuthorizedKey(id, inputs.hostname, inputs.authorizedKey, signal);
  return await start(context, id, inputs);
}

function hasOtherSize(container: Container, { cpus = 0, memory = 0 }: MachineInputs): boolean {
  return container.cpus !== cpus || container.memory !== memory;
}

async function read(
  { unreachable, warn, signal }: Context,
  id: string,
  old: Recorded<MachineInputs, MachineOutputs>,
): Promise<Recorded<MachineInputs, MachineOutputs> | undefined> {
  if (!(await findDaemon(signal))) {
    warn("Docker does not answer, so this machine is not running; run `pulumi up` to start Docker and the machine");
    return { ...old, inputs: { ...old.inputs, running: false } };
  }
  const container = await findContainer(id, signal);
  if (container?.stack !== old.inputs.stack) {
    // Docker proves that the machine was removed, so deletes of resources on it do not wait for it.
    unreachable.markGone(endpointOf(old.outputs));
    return undefined;
  }
  const inputs = {
    ...old.inputs,
    ...sizeOf(container, old.inputs),
    image: container.image,
    running: container.running,
  };
  if (!container.running) return { inputs, outputs: old.outputs };
  // During its first boot, the machine has no host key yet.
  const machine = await describeMachine(container, signal).catch((error: unknown) =>
    warn(`keeping the last known state: ${messageOf(error)}`),
  );
  return { inputs, outputs: machine ? { ...machine, user: USER } : old.outputs };
}

/**
 * Returns the sizes that the program sets. Other sizes are not compared: `docker update` sets them to the host's.
 */
function sizeOf(container: Container, { cpus, memory }: MachineInputs): Pick<MachineInputs, "cpus" | "memory"> {
  return optional({
    cpus: cpus === undefined ? undefined : container.cpus,
    memory: memory === undefined ? undefined : container.memory,
  });
}

async function remove(
  { settings, status, signal }: Context,
  id: string,
  { inputs }: Recorded<MachineInputs, MachineOutputs>,
): Promise<void> {
  await ensureDaemon(settings.dockerEnvironment, status, signal);
  status("removing the container and its volumes");
  await removeMachine(id, inputs.stack, signal);
}

function endpointOf({ address, port, hostKey }: MachineOutputs) {
  return { host: address, port, hostKey };
}
