import { StepError } from "../../common/errors";
import type { Progress } from "../../common/progress";
import { type VagrantMachine, vagrantName } from "../../render/vagrantfile";
import { lastWords } from "../docker/command";
import { parseSshConfig, parseStatus, type SshConfig } from "./answers";
import { alone, attemptVagrant, vagrant } from "./command";
import { Folder } from "./folder";
import { Gatherer } from "./gather";

interface Work {
  machine: VagrantMachine;
  progress: Progress;
  signal: AbortSignal;
}

/** Vagrant's work, gathered per folder: machines that are wanted at about the same time share one command. */
export class VagrantFolders {
  private readonly ups = new Map<string, Gatherer<Work, SshConfig>>();
  private readonly downs = new Map<string, Gatherer<Work, void>>();
  private readonly reads = new Map<string, Gatherer<AbortSignal, Map<string, string>>>();

  /** Starts the machine. Machines that are wanted at about the same time start together, where the provider supports that. */
  up(folder: string, work: Work): Promise<SshConfig> {
    const key = `${folder} ${work.machine.provider}`;
    return getOrCreate(
      this.ups,
      key,
      () => new Gatherer<Work, SshConfig>((all) => upTogether(new Folder(folder), all)),
    ).add(work);
  }

  /** Destroys the machine, and removes its definition. */
  destroy(folder: string, work: Work): Promise<void> {
    return getOrCreate(
      this.downs,
      folder,
      () => new Gatherer<Work, void>((all) => destroyTogether(new Folder(folder), all)),
    ).add(work);
  }

  /** Vagrant's name of the machine's state; `not_created` where it knows none. */
  async stateOf(folder: string, name: string, signal: AbortSignal): Promise<string> {
    const read = () =>
      new Gatherer<AbortSignal, Map<string, string>>(([first]) => look(new Folder(folder), first ?? signal));
    const states = await getOrCreate(this.reads, folder, read).add(signal);
    return states.get(name) ?? "not_created";
  }
}

function getOrCreate<T>(all: Map<string, T>, key: string, create: () => T): T {
  const value = all.get(key) ?? create();
  all.set(key, value);
  return value;
}

async function look({ file }: Folder, signal: AbortSignal): Promise<() => Promise<Map<string, string>>> {
  const text = await vagrant(file, ["status", "--machine-readable"], {
    step: "asking Vagrant for its machines",
    signal,
    timeout: 120,
  });
  return () => Promise.resolve(parseStatus(text));
}

async function upTogether(folder: Folder, all: Work[]): Promise<(work: Work) => Promise<SshConfig>> {
  const signal = AbortSignal.any(all.map((work) => work.signal));
  const names = all.map(({ machine }) => machine.name);
  const { provider } = all[0]?.machine ?? { provider: "docker" as const };
  const options = { step: "vagrant up", signal };
  return await alone(folder.file, tellAll(all), signal, async () => {
    folder.define(all.map(({ machine }) => machine));
    tellAll(all)(names.length > 1 ? `vagrant up: ${names.join(", ")}` : "vagrant up");
    const args = ["up", "--no-color", "--provider", vagrantName(provider), ...names];
    const outcome = await attemptVagrant(folder.file, args, {
      ...options,
      onLine: (line) => pass(line, all),
      linesFrom: "stdout",
    });
    // With several, one may have failed and the others be there: each is judged by itself.
    const configs = await sshConfigs(folder.file, names, signal);
    return ({ machine }: Work) => {
      const config = configs.get(machine.name);
      if (config) return Promise.resolve(config);
      const cause = lastWords(outcome.stderr || outcome.stdout, 6) || "it came up, but Vagrant cannot log in";
      return Promise.reject(
        new StepError({
          step: "vagrant up",
          machine: machine.name,
          cause,
          action: `see \`vagrant up ${machine.name}\` in ${folder.path}`,
        }),
      );
    };
  });
}

/** How to log in to each that runs. Asked for several Vagrant tells nothing where one of them does not: then they are asked one by one. */
export async function sshConfigs(
  file: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, SshConfig>> {
  const ask = async (some: readonly string[]) => {
    const outcome = await attemptVagrant(file, ["ssh-config", ...some], {
      step: "vagrant ssh-config",
      signal,
      timeout: 120,
    });
    return outcome.code === 0 ? parseSshConfig(outcome.stdout) : undefined;
  };
  const all = await ask(names);
  if (all || names.length === 1) return all ?? new Map();
  const single = await Promise.all(names.map((name) => ask([name])));
  return new Map(single.flatMap((found) => [...(found ?? [])]));
}

async function destroyTogether(folder: Folder, all: Work[]): Promise<() => Promise<void>> {
  const signal = AbortSignal.any(all.map((work) => work.signal));
  const defined = all.map(({ machine }) => machine.name).filter((name) => folder.has(name));
  if (defined.length > 0) {
    await alone(folder.file, tellAll(all), signal, async () => {
      tellAll(all)("vagrant destroy");
      const action = `see \`vagrant destroy\` in ${folder.path}`;
      await vagrant(folder.file, ["destroy", "--no-color", "--force", ...defined], {
        step: `vagrant destroy ${defined.join(" ")}`,
        signal,
        action,
      });
      folder.forget(defined);
    });
  }
  return () => Promise.resolve();
}

/** Destroys all machines of a folder, known to a state or not. @returns how many were defined. */
export async function destroyFolder(path: string, signal: AbortSignal): Promise<number> {
  const folder = new Folder(path);
  const machines = folder.machines();
  if (machines.length > 0)
    await destroyTogether(
      folder,
      machines.map((machine) => ({ machine, progress: () => undefined, signal })),
    );
  return machines.length;
}

function tellAll(all: readonly Work[]): Progress {
  return (message) => all.forEach(({ progress }) => progress(message));
}

/** Vagrant's lines begin with the machine that they are about: `    worker-1: Booting`. */
function pass(line: string, all: readonly Work[]): void {
  const [, name, words] = /^(?:==>)?\s*([^\s:]+):\s+(.+)$/.exec(line) ?? [];
  if (words) all.find(({ machine }) => machine.name === name)?.progress(`vagrant: ${words.slice(0, 100)}`);
}
