import { z } from "zod";
import { messageOf, StepError } from "../../common/errors";
import { addressIn } from "../../render/cidr";
import { PartialFailure, type Context, type Handler, type Recorded } from "../rpc/handler";
import type { MachineSpec } from "./arguments";
import { findContainer, type Container } from "./container";
import { ensureDaemon, findDaemon } from "./daemon";
import { authorize, describe, ensureContainer, removeMachine, resize, startMachine, type Machine } from "./machine";
import { scarceInotify } from "./inotify";
import { findNetwork } from "./network";
import { FIRST_OFFSET } from "./subnets";

const USER = "root";

interface Inputs {
  stack: string;
  hostname: string;
  /** Better the reference than the id: an image that had to be built again is then no reason to make the machine anew. */
  image: string;
  network: string;
  /** IPv4 in the network's subnet; or `index`, from 0, for the one that follows from it. */
  fixedAddress?: string | undefined;
  index?: number | undefined;
  authorizedKey: string;
  cpus?: number | undefined;
  /** MiB. */
  memory?: number | undefined;
  /** Always true in programs. A stopped machine is read as false, and so started by the next `up`. */
  running?: boolean | undefined;
}

type Outputs = Machine & { user: string };

const schema: z.ZodType<Inputs> = z
  .strictObject({
    stack: z.string().min(1),
    hostname: z
      .string()
      .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, "must be lower-case letters, digits and inner dashes, 63 at most"),
    image: z.string().min(1),
    network: z.string().min(1),
    fixedAddress: z.ipv4("must be an IPv4 address").optional(),
    index: z.int().min(0, "is counted from 0").optional(),
    authorizedKey: z.string().regex(/^(ssh|ecdsa|sk)-\S+ \S+/, "must be a public key, as in an authorized_keys file"),
    cpus: z.number().positive("must be more than 0").optional(),
    memory: z.int().min(128, "is in MiB, and 128 at least").optional(),
    running: z.boolean().optional(),
  })
  .refine(({ fixedAddress, index }) => (fixedAddress === undefined) !== (index === undefined), {
    path: ["fixedAddress"],
    error: "give either `fixedAddress` or `index`",
  });

/** A container that is a machine: systemd, sshd, its own address. From `connection` on nobody knows what made it. */
export const machineResource: Handler<Inputs, Outputs> = {
  schema,
  outputs: ["containerId", "address", "port", "user", "hostKey", "privateAddress", "apiEndpoint"],
  replaceOn: ["stack", "hostname", "image", "network", "fixedAddress"],
  // Which address it got when it was made is no reason to make it anew.
  ignore: ["index"],
  create,
  update,
  read,
  delete: remove,
};

async function create(context: Context, inputs: Inputs): Promise<{ id: string; outputs: Outputs }> {
  const { status, signal } = context;
  await ensureDaemon(status, signal);
  const spec = await specOf(inputs, signal);
  const id = await ensureContainer(spec, context.docker, status, signal);
  try {
    return { id, outputs: await started(context, id, inputs) };
  } catch (error) {
    // The container is there: recorded, it is started by the next `up`, and removed by `destroy`.
    throw new PartialFailure(messageOf(error), id, unfinished(id, spec));
  }
}

async function specOf({ fixedAddress, index = 0, ...rest }: Inputs, signal: AbortSignal): Promise<MachineSpec> {
  return { ...rest, address: fixedAddress ?? (await addressAt(rest.network, index, rest.hostname, signal)) };
}

async function addressAt(network: string, index: number, machine: string, signal: AbortSignal): Promise<string> {
  const found = await findNetwork(network, signal);
  if (!found)
    throw new StepError({
      step: "creating",
      machine,
      cause: `there is no network ${network}`,
      action: "run `pulumi up --refresh`",
    });
  return addressIn(found.subnet, FIRST_OFFSET + index);
}

async function started(
  { settings, status, warn, signal }: Context,
  id: string,
  { hostname }: Inputs,
): Promise<Outputs> {
  const machine = await startMachine(id, hostname, status, signal, settings.patience);
  const shortage = await scarceInotify(id, signal);
  if (shortage) warn(shortage);
  return { ...machine, user: USER };
}

function unfinished(containerId: string, { address }: MachineSpec): Outputs {
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

/** What may be changed in place: that it runs, its size, whose key opens it. */
async function update(context: Context, id: string, inputs: Inputs): Promise<Outputs> {
  const { status, signal } = context;
  const daemon = await ensureDaemon(status, signal);
  const container = await findContainer(id, signal);
  if (!container) {
    throw new StepError({
      step: "updating",
      machine: inputs.hostname,
      cause: "its container is gone",
      action: "run `pulumi up --refresh`: it is made anew",
    });
  }
  if (sizeDiffers(container, inputs)) await resize(id, inputs, daemon, signal);
  await authorize(id, inputs.hostname, inputs.authorizedKey, signal);
  return await started(context, id, inputs);
}

function sizeDiffers(container: Container, { cpus = 0, memory = 0 }: Inputs): boolean {
  return container.cpus !== cpus || container.memory !== memory;
}

async function read(
  { warn, signal }: Context,
  id: string,
  old: Recorded<Inputs, Outputs>,
): Promise<Recorded<Inputs, Outputs> | undefined> {
  if (!(await findDaemon(signal))) {
    warn("Docker does not answer, so this machine does not run; the next `pulumi up` starts both if it can");
    return { ...old, inputs: { ...old.inputs, running: false } };
  }
  const container = await findContainer(id, signal);
  if (container?.stack !== old.inputs.stack) return undefined;
  const inputs = {
    ...old.inputs,
    ...sizeOf(container, old.inputs),
    image: container.image,
    running: container.running,
  };
  if (!container.running) return { inputs, outputs: old.outputs };
  // While it boots for the very first time its host key is not there yet: then the last known state holds.
  const machine = await describe(container, signal).catch((error: unknown) =>
    warn(`what was known last is kept: ${messageOf(error)}`),
  );
  return { inputs, outputs: machine ? { ...machine, user: USER } : old.outputs };
}

/** Sizes are compared only where the program sets them: without, `docker update` leaves the host's own size as a limit. */
function sizeOf(container: Container, { cpus, memory }: Inputs): Pick<Inputs, "cpus" | "memory"> {
  return {
    ...(cpus === undefined ? {} : { cpus: container.cpus }),
    ...(memory === undefined ? {} : { memory: container.memory }),
  };
}

async function remove({ status, signal }: Context, id: string, { inputs }: Recorded<Inputs, Outputs>): Promise<void> {
  await ensureDaemon(status, signal);
  status("removing the container and its volumes");
  await removeMachine(id, inputs.stack, signal);
}
