import type { Inputs, Outputs } from "../../../contracts/contract";
import { existingVagrantMachineContract } from "../../../contracts/vagrant/existing-machine";
import { existsSync } from "node:fs";
import { StepError, messageOf } from "../../../common/errors";
import { isSamePath, localPath, portablePath } from "../../../common/portable-path";
import { includes, parseCidr } from "../../../render/cidr";
import type { Context, Handler } from "../../rpc/handler";
import { otherAddresses } from "../../vagrant/parse-output";
import { runVagrant } from "../../vagrant/command";
import { checkVagrant, readHostKey } from "./machine";
import { readSshConfigs } from "../../vagrant/machines";

type MachineInputs = Inputs<typeof existingVagrantMachineContract>;
type MachineOutputs = Outputs<typeof existingVagrantMachineContract>;

/**
 * A machine of the user's own Vagrantfile. Kubewright reads its connection settings, and never starts, stops or
 * destroys it.
 */
export const existingResource: Handler<typeof existingVagrantMachineContract> = {
  contract: existingVagrantMachineContract,
  replaceOn: ["vagrantfile", "machine", "subnet"],
  // States of earlier versions have an absolute path, which may be that of another computer.
  isProtected: ({ vagrantfile = "", machine, subnet }, old) =>
    isSamePath(old.vagrantfile ?? "", vagrantfile) && machine === old.machine && subnet === old.subnet,
  async check({ vagrantfile }, { vagrantProblems }) {
    const file = vagrantfile === undefined ? undefined : localPath(vagrantfile);
    if (file !== undefined && !existsSync(file))
      return [{ path: "vagrantfile", reason: `there is no file ${file} on this computer` }];
    return await checkVagrant(vagrantProblems);
  },
  create,
  adopt: create,
  update: (context, _id, inputs) => readMachine(context, inputs),
  async read(context, _id, old) {
    try {
      return { inputs: old.inputs, outputs: await readMachine(context, old.inputs) };
    } catch (error) {
      context.signal.throwIfAborted();
      context.warn(`keeping the last known state: ${messageOf(error)}`);
      return old;
    }
  },
};

async function create(context: Context, inputs: MachineInputs): Promise<{ id: string; outputs: MachineOutputs }> {
  return { id: inputs.machine, outputs: await readMachine(context, inputs) };
}

async function readMachine(
  { status, signal }: Context,
  { vagrantfile: path, machine, subnet }: MachineInputs,
): Promise<MachineOutputs> {
  const vagrantfile = localPath(path);
  if (!existsSync(vagrantfile)) throw notOnThisComputer(vagrantfile, machine);
  status("vagrant ssh-config");
  const ssh = (await readSshConfigs(vagrantfile, [machine], signal)).get(machine);
  if (!ssh) {
    const action = `run \`vagrant up ${machine}\` in the folder of ${vagrantfile}, or correct machines.vagrant.names`;
    throw new StepError({ step: "vagrant ssh-config", machine, cause: "Vagrant runs no machine of this name", action });
  }
  const { host: address, port, user } = ssh;
  const privateKeyPath = portablePath(ssh.privateKeyPath);
  const privateAddress = await readPrivateAddress(vagrantfile, machine, address, subnet, signal);
  const hostKey = await readHostKey(vagrantfile, machine, signal);
  return { machineId: machine, address, port, user, privateKeyPath, hostKey, privateAddress };
}

function notOnThisComputer(file: string, machine: string): StepError {
  const action = "run this command on the computer that has it";
  return new StepError({ step: "vagrant ssh-config", machine, cause: `${file} is not on this computer`, action });
}

async function readPrivateAddress(
  file: string,
  machine: string,
  address: string,
  subnet: string | undefined,
  signal: AbortSignal,
): Promise<string> {
  const step = `read the addresses of ${machine}`;
  const script = "ip -o -4 addr show scope global; echo --; ip -4 route show default";
  const args = ["ssh", "--no-tty", "-c", script, machine];
  const output = await runVagrant(file, args, { step, signal, timeout: 120 });
  const [listing = "", route = ""] = output.split("--");
  const chosen = choosePrivateAddress(otherAddresses(listing, route), address, subnet);
  if (chosen !== undefined) return chosen;
  const cause =
    subnet === undefined ? "its only address is the one of Vagrant's NAT" : `it has no address in ${subnet}`;
  const action = "add a private network to its Vagrantfile: the nodes must reach one another";
  throw new StepError({ step, machine, cause, action });
}

/**
 * Chooses the address at which other nodes reach a machine: in the subnet, else the first, else the SSH address if it
 * is not local.
 */
export function choosePrivateAddress(
  addresses: readonly string[],
  sshAddress: string,
  subnet: string | undefined,
): string | undefined {
  const range = subnet === undefined ? undefined : parseCidr(subnet);
  if (range) return addresses.find((candidate) => includes(range, candidate));
  return addresses[0] ?? (sshAddress.startsWith("127.") ? undefined : sshAddress);
}
