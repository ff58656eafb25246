import type { Inputs, Outputs } from "../../../contracts/contract";
import { vagrantMachineContract } from "../../../contracts/vagrant/machine";
import { messageOf, StepError } from "../../../common/errors";
import { localPath, portablePath } from "../../../common/portable-path";
import { type VagrantMachine, type VagrantProvider } from "../../../render/vagrantfile";
import { limitArguments, machineArguments } from "../../docker/arguments";
import { hasSshBanner } from "../../docker/ssh-banner";
import { ensureDaemon } from "../../docker/daemon";
import { readHostKey as readDockerHostKey } from "../../docker/machine";

import { addressIn } from "../../../render/cidr";
import { FIRST_OFFSET } from "../../docker/subnets";
import { changesBetween } from "../../rpc/diff";
import { PartialFailure, type Context, type Handler, type Problem, type Recorded } from "../../rpc/handler";
import { bestHostKey, type SshConfig } from "../../vagrant/parse-output";
import { runVagrant } from "../../vagrant/command";
import { VagrantFolder } from "../../vagrant/folder";
import { readSshConfigs } from "../../vagrant/machines";
import type { VagrantProblems } from "../../vagrant/preflight";
import {
  describeWhereabouts,
  isVagrantsHere,
  notDestroyedHere,
  notStartedHere,
  thisComputer,
} from "../../vagrant/whereabouts";

type MachineInputs = Inputs<typeof vagrantMachineContract>;
type MachineOutputs = Outputs<typeof vagrantMachineContract>;

const NOT_CREATED = "not_created";

/** A machine that Vagrant creates. A changed definition replaces the machine, and never changes a running node. */
export const machineResource: Handler<typeof vagrantMachineContract> = {
  contract: vagrantMachineContract,
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
  // The machine keeps its address when its position changes.
  ignore: ["index"],
  check: ({ provider }, { vagrantProblems }) => checkVagrant(vagrantProblems, provider),
  create,
  adopt,
  async update(context, _id, inputs, old) {
    const recorded = { inputs, outputs: old.outputs }; // the folder of an earlier version may be an absolute path
    if (await isElsewhere(context, recorded)) throw notStartedHere(whereaboutsOf(recorded));
    return await start(context, inputs, old.outputs.privateAddress);
  },
  read,
  async delete(context, _id, old) {
    const { vagrant, unreachable, status, warn, signal } = context;
    const { inputs, outputs } = old;
    if (await isElsewhere(context, old)) {
      const connection = { name: inputs.hostname, host: outputs.address, port: outputs.port, user: outputs.user };
      if (!unreachable.isAbandoned(connection)) throw notDestroyedHere(whereaboutsOf(old));
      return warn(`it was not destroyed: ${describeWhereabouts(whereaboutsOf(old))}`);
    }
    const machine = toVagrantMachine(inputs, outputs.privateAddress);
    await vagrant.destroy(localPath(inputs.folder), { machine, progress: status, signal });
  },
};

function whereaboutsOf({ inputs, outputs }: Recorded<MachineInputs, MachineOutputs>) {
  const { folder, hostname, provider } = inputs;
  return { folder, hostname, provider, computer: outputs.computer };
}

/** Whether another computer, or another clone of the project, has the machine. A renamed computer still finds it. */
async function isElsewhere(
  { vagrant, signal }: Pick<Context, "vagrant" | "signal">,
  old: Recorded<MachineInputs, MachineOutputs>,
): Promise<boolean> {
  return !isVagrantsHere(whereaboutsOf(old)) && (await readState(vagrant, old.inputs, signal)) === NOT_CREATED;
}

/** Returns Vagrant's state of the machine on this computer. */
async function readState(
  vagrant: Context["vagrant"],
  { folder, hostname }: MachineInputs,
  signal: AbortSignal,
): Promise<string> {
  const path = localPath(folder);
  return new VagrantFolder(path).has(hostname) ? await vagrant.readState(path, hostname, signal) : NOT_CREATED;
}

export async function checkVagrant(problems: VagrantProblems, provider?: VagrantProvider): Promise<Problem[]> {
  const reason = await problems.find(provider);
  return reason === undefined ? [] : [{ path: provider === undefined ? "vagrantfile" : "provider", reason }];
}

async function create(context: Context, inputs: MachineInputs): Promise<{ id: string; outputs: MachineOutputs }> {
  const { subnet, index, hostname, folder } = inputs;
  const address = addressIn(subnet, FIRST_OFFSET + index);
  try {
    return { id: hostname, outputs: await start(context, inputs, address) };
  } catch (error) {
    const machineId = new VagrantFolder(localPath(folder)).machineId({ name: hostname, provider: inputs.provider });
    if (machineId === undefined) throw error;
    // The machine exists: record it, so that the next `up` starts it and `destroy` removes it.
    const unfinished = {
      machineId,
      address,
      port: 22,
      user: "vagrant",
      privateKeyPath: "",
      hostKey: "",
      privateAddress: address,
      computer: thisComputer(),
    };
    throw new PartialFailure(messageOf(error), hostname, unfinished);
  }
}

/** Finds the machine in the stack's Vagrantfile. It must run: what is on it is read next. */
async function adopt(context: Context, inputs: MachineInputs): Promise<{ id: string; outputs: MachineOutputs }> {
  const { hostname } = inputs;
  const { signal } = context;
  const folder = localPath(inputs.folder);
  const vagrantFolder = new VagrantFolder(folder);
  const machine = vagrantFolder.machines().find(({ name }) => name === hostname);
  if (machine) assertSameDefinition(machine, toVagrantMachine(inputs, machine.address));
  const ssh = machine && (await readSshConfigs(vagrantFolder.file, [hostname], signal)).get(hostname);
  if (machine && ssh) return { id: hostname, outputs: await describeMachine(inputs, machine, ssh, signal) };
  throw new StepError({
    step: "adopting the machine",
    machine: hostname,
    cause: machine ? "Vagrant does not run it" : `${vagrantFolder.file} has no machine of this name`,
    action: machine
      ? `run \`vagrant up ${hostname}\` in ${folder}`
      : "copy the folder from the computer that created the cluster, or remove the machine from the configuration",
  });
}

/** A changed definition would replace the machine. Its image follows from Kubewright's version. */
function assertSameDefinition(machine: VagrantMachine, configured: VagrantMachine): void {
  const comparable = ({ image: _1, dockerArguments: _2, ...rest }: VagrantMachine) => rest;
  const changes = changesBetween(comparable(machine), comparable(configured)).map(({ path }) => path);
  if (changes.length === 0) return;
  throw new StepError({
    step: "adopting the machine",
    machine: machine.name,
    cause: `${changes.join(", ")} differ from its definition in machines.json beside the Vagrantfile`,
    action: "set them in the configuration to what the machine has",
  });
}

/** Starts the machine and returns its connection data. */
async function start(context: Context, inputs: MachineInputs, privateAddress: string): Promise<MachineOutputs> {
  const { vagrant, status, signal } = context;
  const machine = { ...toVagrantMachine(inputs, privateAddress), ...(await dockerSettings(inputs, context)) };
  const ssh = await vagrant.up(localPath(inputs.folder), { machine, progress: status, signal });
  return await describeMachine(inputs, machine, ssh, signal);
}

function toVagrantMachine(
  { hostname, provider, box, boxVersion, image, subnet, cpus, memoryMiB, diskGiB, syncedFolder = false }: MachineInputs,
  address: string,
): VagrantMachine {
  return { name: hostname, provider, box, boxVersion, image, subnet, address, cpus, memoryMiB, diskGiB, syncedFolder };
}

/** Returns the settings that make a container behave like a machine, which are the same as without Vagrant. */
async function dockerSettings(
  { provider, image, folder, cpus, memoryMiB }: MachineInputs,
  { docker, settings, status, signal }: Context,
): Promise<Partial<VagrantMachine>> {
  if (provider !== "docker" || image === undefined) return {};
  await ensureDaemon(settings.dockerEnvironment, status, signal);
  const args = machineArguments(`vagrant ${localPath(folder)}`, await docker.read(image, signal));
  return { dockerArguments: [...limitArguments({ cpus, memory: memoryMiB }), ...args] };
}

/**
 * Returns the private address, which never changes, if the controller reaches it; otherwise the forwarded port.
 */
async function describeMachine(
  { folder, provider }: MachineInputs,
  { name, address }: VagrantMachine,
  ssh: SshConfig,
  signal: AbortSignal,
): Promise<MachineOutputs> {
  const vagrantFolder = new VagrantFolder(localPath(folder));
  const machineId = vagrantFolder.machineId({ name, provider }) ?? "";
  const isDirect = await hasSshBanner(address, 22);
  const hostKey =
    provider === "docker"
      ? await readDockerHostKey({ id: machineId, hostname: name }, signal)
      : await readHostKey(vagrantFolder.file, name, signal);
  const { user, privateKeyPath } = ssh;
  return {
    machineId,
    ...(isDirect ? { address, port: 22 } : { address: ssh.host, port: ssh.port }),
    user,
    privateKeyPath: portablePath(privateKeyPath),
    hostKey,
    privateAddress: address,
    computer: thisComputer(),
  };
}

/**
 * Reads the host key over Vagrant's own SSH connection, which for a virtual machine is a forwarded port of the
 * controller.
 */
export async function readHostKey(file: string, name: string, signal: AbortSignal): Promise<string> {
  const step = `read the host key of ${name}`;
  const args = ["ssh", "--no-tty", "-c", "cat /etc/ssh/ssh_host_*_key.pub", name];
  const key = bestHostKey(await runVagrant(file, args, { step, signal, timeout: 120 }));
  if (key !== undefined) return key;
  throw new StepError({ step, machine: name, cause: "it has no ed25519, ecdsa or rsa host key" });
}

async function read(
  { vagrant, vagrantProblems, unreachable, warn, signal }: Context,
  _id: string,
  old: Recorded<MachineInputs, MachineOutputs>,
): Promise<Recorded<MachineInputs, MachineOutputs> | undefined> {
  const { folder, hostname, provider } = old.inputs;
  const place = whereaboutsOf(old);
  const problem = await vagrantProblems.find(provider);
  if (problem !== undefined) {
    warn(`keeping the last known state: ${isVagrantsHere(place) ? problem : describeWhereabouts(place)}`);
    return old;
  }
  const state = await readState(vagrant, old.inputs, signal);
  if (state === NOT_CREATED && !isVagrantsHere(place)) {
    warn(`keeping the last known state: ${describeWhereabouts(place)}`);
    return old;
  }
  // Vagrant proves that the machine was removed, so deletes of resources on it do not wait for it.
  const { address, port, hostKey } = old.outputs;
  const markGone = () => unreachable.markGone({ host: address, port, hostKey });
  if (state === NOT_CREATED) {
    markGone();
    return undefined;
  }
  const inputs = { ...old.inputs, running: state === "running" };
  const machineId = new VagrantFolder(localPath(folder)).machineId({ name: hostname, provider }) ?? "";
  const outputs = { ...old.outputs, computer: thisComputer() };
  // With another id, the machine was destroyed and recreated outside of Kubewright. `up` then reads its connection data
  // again.
  if (machineId === old.outputs.machineId) return { inputs, outputs };
  markGone();
  return { inputs: { ...inputs, running: false }, outputs: { ...outputs, machineId } };
}
