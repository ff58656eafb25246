import { z } from "zod";
import { messageOf, StepError } from "../../common/errors";
import { VAGRANT_PROVIDERS, type VagrantMachine, type VagrantProvider } from "../../render/vagrantfile";
import { limits, machineArguments } from "../docker/arguments";
import { sshAnswers } from "../docker/banner";
import { ensureDaemon } from "../docker/daemon";
import { hostKey as dockerHostKey } from "../docker/machine";
import { addressIn } from "../../render/cidr";
import { FIRST_OFFSET } from "../docker/subnets";
import { PartialFailure, type Context, type Handler, type Problem, type Recorded } from "../rpc/handler";
import { bestHostKey, type SshConfig } from "./answers";
import { vagrant } from "./command";
import { Folder } from "./folder";
import type { VagrantTroubles } from "./preflight";

interface Inputs {
  /** On the controller: of the stack's Vagrantfile. */
  folder: string;
  hostname: string;
  provider: VagrantProvider;
  box?: string | undefined;
  boxVersion?: string | undefined;
  /** With the docker provider, in the place of a box. */
  image?: string | undefined;
  /** The private network. */
  subnet: string;
  /** From 0: the address in the private network that follows from it. */
  index: number;
  cpus?: number | undefined;
  memoryMiB?: number | undefined;
  diskGiB?: number | undefined;
  syncedFolder?: boolean | undefined;
  /** Always true in programs. A machine that was halted is read as false, and so started by the next `up`. */
  running?: boolean | undefined;
}

export interface Outputs {
  /** The provider's id. */
  machineId: string;
  address: string;
  port: number;
  user: string;
  privateKeyPath: string;
  hostKey: string;
  privateAddress: string;
}

export const VAGRANT_OUTPUTS = [
  "machineId",
  "address",
  "port",
  "user",
  "privateKeyPath",
  "hostKey",
  "privateAddress",
] as const;

const schema: z.ZodType<Inputs> = z.strictObject({
  folder: z.string().min(1),
  hostname: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, "must be lower-case letters, digits and inner dashes, 63 at most"),
  provider: z.enum(VAGRANT_PROVIDERS),
  box: z.string().optional(),
  boxVersion: z.string().optional(),
  image: z.string().optional(),
  subnet: z.cidrv4("must be an IPv4 CIDR, such as 192.168.56.0/24"),
  index: z.int().min(0, "is counted from 0"),
  cpus: z.int().positive().optional(),
  memoryMiB: z.int().min(128, "is in MiB, and 128 at least").optional(),
  diskGiB: z.int().positive().optional(),
  syncedFolder: z.boolean().optional(),
  running: z.boolean().optional(),
});

/** A machine that Vagrant makes. What defines it is not changed under a running node: another definition is another machine. */
export const machineResource: Handler<Inputs, Outputs> = {
  schema,
  outputs: VAGRANT_OUTPUTS,
  replaceOn: [
    "hostname",
    "provider",
    "box",
    "boxVersion",
    "image",
    "subnet",
    "cpus",
    "memoryMiB",
    "diskGiB",
    "syncedFolder",
  ],
  // Which address it got when it was made is no reason to make it anew.
  ignore: ["index"],
  check: ({ provider }, { vagrantTroubles }) => troubles(vagrantTroubles, provider),
  create,
  update: async (context, _id, inputs, { outputs }) => await running(context, inputs, outputs.privateAddress),
  read,
  async delete({ vagrant, status, signal }, _id, { inputs, outputs }) {
    await vagrant.destroy(inputs.folder, {
      machine: defined(inputs, outputs.privateAddress),
      progress: status,
      signal,
    });
  },
};

export async function troubles(vagrant: VagrantTroubles, provider?: VagrantProvider): Promise<Problem[]> {
  const reason = await vagrant.find(provider);
  return reason === undefined ? [] : [{ path: provider === undefined ? "vagrantfile" : "provider", reason }];
}

async function create(context: Context, inputs: Inputs): Promise<{ id: string; outputs: Outputs }> {
  const { subnet, index, hostname, folder } = inputs;
  const address = addressIn(subnet, FIRST_OFFSET + index);
  try {
    return { id: hostname, outputs: await running(context, inputs, address) };
  } catch (error) {
    const machineId = new Folder(folder).idOf({ name: hostname, provider: inputs.provider });
    if (machineId === undefined) throw error;
    // The machine is there: recorded, it is started by the next `up`, and destroyed by `destroy`.
    const unfinished = {
      machineId,
      address,
      port: 22,
      user: "vagrant",
      privateKeyPath: "",
      hostKey: "",
      privateAddress: address,
    };
    throw new PartialFailure(messageOf(error), hostname, unfinished);
  }
}

/** The machine up, and what is to be known of it. */
async function running(context: Context, inputs: Inputs, privateAddress: string): Promise<Outputs> {
  const { vagrant, status, signal } = context;
  const machine = { ...defined(inputs, privateAddress), ...(await dockerPart(inputs, context)) };
  const ssh = await vagrant.up(inputs.folder, { machine, progress: status, signal });
  return await describe(inputs, machine, ssh, signal);
}

function defined(
  { hostname, provider, box, boxVersion, image, subnet, cpus, memoryMiB, diskGiB, syncedFolder = false }: Inputs,
  address: string,
): VagrantMachine {
  return { name: hostname, provider, box, boxVersion, image, subnet, address, cpus, memoryMiB, diskGiB, syncedFolder };
}

/** What makes a machine of a container is the same whether Docker is called by us or by Vagrant. */
async function dockerPart(
  { provider, image, folder, cpus, memoryMiB }: Inputs,
  { docker, status, signal }: Context,
): Promise<Partial<VagrantMachine>> {
  if (provider !== "docker" || image === undefined) return {};
  await ensureDaemon(status, signal);
  const words = machineArguments(`vagrant ${folder}`, await docker.traits(image, signal));
  return { dockerArguments: [...limits({ cpus, memory: memoryMiB }), ...words] };
}

/** At its private address where the controller reaches that, since it stays; else by the port that Vagrant forwards. */
async function describe(
  { folder, provider }: Inputs,
  { name, address }: VagrantMachine,
  ssh: SshConfig,
  signal: AbortSignal,
): Promise<Outputs> {
  const place = new Folder(folder);
  const machineId = place.idOf({ name, provider }) ?? "";
  const direct = await sshAnswers(address, 22);
  const hostKey =
    provider === "docker"
      ? await dockerHostKey({ id: machineId, hostname: name }, signal)
      : await hostKeyOf(place.file, name, signal);
  const { user, privateKeyPath } = ssh;
  return {
    machineId,
    ...(direct ? { address, port: 22 } : { address: ssh.host, port: ssh.port }),
    user,
    privateKeyPath,
    hostKey,
    privateAddress: address,
  };
}

/** Read over Vagrant's own connection, which for a VM is a forwarded port of this computer. */
export async function hostKeyOf(file: string, name: string, signal: AbortSignal): Promise<string> {
  const step = `reading the host key of ${name}`;
  const text = await vagrant(file, ["ssh", "--no-tty", "-c", "cat /etc/ssh/ssh_host_*_key.pub", name], {
    step,
    signal,
    timeout: 120,
  });
  const key = bestHostKey(text);
  if (key === undefined) throw new StepError({ step, machine: name, cause: "it has no host key that is known here" });
  return key;
}

async function read(
  { vagrant, vagrantTroubles, warn, signal }: Context,
  _id: string,
  old: Recorded<Inputs, Outputs>,
): Promise<Recorded<Inputs, Outputs> | undefined> {
  const { folder, hostname, provider } = old.inputs;
  const trouble = await vagrantTroubles.find(provider);
  if (trouble !== undefined) {
    warn(`what was known last is kept: ${trouble}`);
    return old;
  }
  const place = new Folder(folder);
  if (!place.has(hostname)) return undefined;
  const state = await vagrant.stateOf(folder, hostname, signal);
  if (state === "not_created") return undefined;
  const inputs = { ...old.inputs, running: state === "running" };
  const machineId = place.idOf({ name: hostname, provider }) ?? "";
  // Somebody destroyed it and brought it up again: the same name, another machine, which `up` looks at as at one that was halted.
  return machineId === old.outputs.machineId
    ? { inputs, outputs: old.outputs }
    : { inputs: { ...inputs, running: false }, outputs: { ...old.outputs, machineId } };
}
