import { StepError } from "../../common/errors";
import { silent, type Progress } from "../../common/progress";
import { type VagrantMachine, vagrantName } from "../../render/vagrantfile";
import { lastLines, type Outcome } from "../../common/process";
import { runForAll } from "../../common/wait";
import { parseSshConfig, parseStatus, type SshConfig } from "./parse-output";
import { runVagrant, tryVagrant, withVagrantLock } from "./command";
import { VagrantFolder } from "./folder";
import { CallBatcher } from "./call-batcher";

interface MachineTask {
  machine: VagrantMachine;
  progress: Progress;
  signal: AbortSignal;
}

/** Runs Vagrant with one command for all machines of a folder that are requested at about the same time. */
export class VagrantFolders {
  private readonly startBatchers = new Map<string, CallBatcher<MachineTask, SshConfig>>();
  private readonly destroyBatchers = new Map<string, CallBatcher<MachineTask, void>>();
  private readonly statusBatchers = new Map<string, CallBatcher<{ signal: AbortSignal }, Map<string, string>>>();

  /** Starts the machine and returns its SSH settings. */
  up(folder: string, task: MachineTask): Promise<SshConfig> {
    const create = () =>
      batcherOf((tasks: MachineTask[], signal) => startMachines(new VagrantFolder(folder), tasks, signal));
    return getOrCreate(this.startBatchers, `${folder} ${task.machine.provider}`, create).add(task);
  }

  /** Destroys the machine and removes its definition. */
  destroy(folder: string, task: MachineTask): Promise<void> {
    const create = () =>
      batcherOf((tasks: MachineTask[], signal) => destroyMachines(new VagrantFolder(folder), tasks, signal));
    return getOrCreate(this.destroyBatchers, folder, create).add(task);
  }

  /** Returns Vagrant's state of the machine: `running`, `poweroff`, `not_created`. */
  async readState(folder: string, name: string, signal: AbortSignal): Promise<string> {
    return (await this.findState(folder, name, signal)) ?? "not_created";
  }

  /** Returns Vagrant's state of the machine, or undefined if the Vagrantfile does not define it. */
  async findState(folder: string, name: string, signal: AbortSignal): Promise<string | undefined> {
    const create = () => batcherOf((_, shared) => readStates(new VagrantFolder(folder), shared));
    const states = await getOrCreate(this.statusBatchers, folder, create).add({ signal });
    return states.get(name);
  }
}

/** Batches calls whose work has a signal of its own: the deadline of one call does not end the others. */
function batcherOf<Task extends { signal: AbortSignal }, Result>(
  work: (tasks: Task[], signal: AbortSignal) => Promise<(task: Task) => Promise<Result>>,
): CallBatcher<Task, Result> {
  return new CallBatcher((tasks: Task[]) =>
    runForAll(
      tasks.map(({ signal }) => signal),
      (signal) => work(tasks, signal),
    ),
  );
}

function getOrCreate<T>(map: Map<string, T>, key: string, create: () => T): T {
  const value = map.get(key) ?? create();
  map.set(key, value);
  return value;
}

async function readStates({ file }: VagrantFolder, signal: AbortSignal): Promise<() => Promise<Map<string, string>>> {
  const options = { step: "vagrant status", signal, timeout: 120 };
  const states = parseStatus(await runVagrant(file, ["status", "--machine-readable"], options));
  return () => Promise.resolve(states);
}

async function startMachines(
  folder: VagrantFolder,
  tasks: MachineTask[],
  signal: AbortSignal,
): Promise<(task: MachineTask) => Promise<SshConfig>> {
  const names = tasks.map(({ machine }) => machine.name);
  const { provider } = tasks[0]?.machine ?? { provider: "docker" as const };
  return await withVagrantLock(folder.file, reportToAll(tasks), signal, async () => {
    folder.define(tasks.map(({ machine }) => machine));
    reportToAll(tasks)(names.length > 1 ? `vagrant up: ${names.join(", ")}` : "vagrant up");
    const args = ["up", "--no-color", "--provider", vagrantName(provider), ...names];
    const onLine = (line: string) => reportLine(line, tasks);
    const outcome = await tryVagrant(folder.file, args, { step: "vagrant up", signal, onLine, linesFrom: "stdout" });
    // One of several machines may have failed while the others run, so each result depends on its own SSH settings.
    const configs = await readSshConfigs(folder.file, names, signal);
    return async ({ machine: { name } }: MachineTask) => configs.get(name) ?? failStart(name, folder, outcome);
  });
}

function failStart(machine: string, folder: VagrantFolder, outcome: Outcome): never {
  const cause = lastLines(outcome.stderr || outcome.stdout, 6) || "it was started, but Vagrant cannot log in";
  const action = `run \`vagrant up ${machine}\` in ${folder.path} to see the whole output`;
  throw new StepError({ step: "vagrant up", machine, cause, action });
}

/**
 * Reads the SSH settings of the machines that run. For several machines, Vagrant prints nothing if one of them is not
 * running; they are then read one by one.
 */
export async function readSshConfigs(
  file: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, SshConfig>> {
  const read = async (machines: readonly string[]) => {
    const options = { step: "vagrant ssh-config", signal, timeout: 120 };
    const outcome = await tryVagrant(file, ["ssh-config", ...machines], options);
    return outcome.code === 0 ? parseSshConfig(outcome.stdout) : undefined;
  };
  const configs = await read(names);
  if (configs || names.length === 1) return configs ?? new Map();
  const single = await Promise.all(names.map((name) => read([name])));
  return new Map(single.flatMap((config) => [...(config ?? [])]));
}

async function destroyMachines(
  folder: VagrantFolder,
  tasks: MachineTask[],
  signal: AbortSignal,
): Promise<() => Promise<void>> {
  const defined = tasks.map(({ machine }) => machine.name).filter((name) => folder.has(name));
  if (defined.length > 0) {
    await withVagrantLock(folder.file, reportToAll(tasks), signal, async () => {
      reportToAll(tasks)("vagrant destroy");
      const step = `vagrant destroy ${defined.join(" ")}`;
      const action = `run \`vagrant destroy\` in ${folder.path} to see the whole output`;
      await runVagrant(folder.file, ["destroy", "--no-color", "--force", ...defined], { step, signal, action });
      folder.undefine(defined);
    });
  }
  return () => Promise.resolve();
}

/** Destroys all machines of a folder, whether in the state or not. Returns the number of machines. */
export async function destroyFolder(path: string, signal: AbortSignal): Promise<number> {
  const folder = new VagrantFolder(path);
  const machines = folder.machines();
  const tasks = machines.map((machine) => ({ machine, progress: silent, signal }));
  if (tasks.length > 0) await destroyMachines(folder, tasks, signal);
  return machines.length;
}

function reportToAll(tasks: readonly MachineTask[]): Progress {
  return (message) => tasks.forEach(({ progress }) => progress(message));
}

/** Reports a line of Vagrant's output to the machine that it begins with: `    worker-1: Booting`. */
function reportLine(line: string, tasks: readonly MachineTask[]): void {
  const [, name, message] = /^(?:==>)?\s*([^\s:]+):\s+(.+)$/.exec(line) ?? [];
  if (message) tasks.find(({ machine }) => machine.name === name)?.progress(`vagrant: ${message.slice(0, 100)}`);
}
