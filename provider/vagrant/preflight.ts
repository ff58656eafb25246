import semver from "semver";
import { timeoutSignal } from "../../common/timer";
import type { VagrantProvider } from "../../render/vagrantfile";
import { tryCommand } from "../../common/process";

/** The oldest supported version. Debian 12 has 2.3.4; older versions are untested. */
const OLDEST = "2.3.0";
const PLUGINS: Partial<Record<VagrantProvider, string>> = {
  libvirt: "vagrant-libvirt",
  vmware: "vagrant-vmware-desktop",
  parallels: "vagrant-parallels",
  lxc: "vagrant-lxc",
};
/** Programs that the providers built into Vagrant call. */
const PROGRAMS: Partial<Record<VagrantProvider, string>> = { virtualbox: "VBoxManage" };
const INSTALL = "install Vagrant from its vendor or with this system's packages (Debian: `apt-get install vagrant`)";

/**
 * Problems of the controller that keep Vagrant or one of its providers from working, with the next action. Each
 * provider is checked once.
 */
export class VagrantProblems {
  private readonly byProvider = new Map<string, Promise<string | undefined>>();

  find(provider?: VagrantProvider): Promise<string | undefined> {
    const key = provider ?? "";
    const problem = this.byProvider.get(key) ?? checkProvider(provider);
    this.byProvider.set(key, problem);
    return problem;
  }
}

async function checkProvider(provider?: VagrantProvider): Promise<string | undefined> {
  const problem = versionProblem(await readOutput("vagrant", ["--version"]));
  if (problem !== undefined || provider === undefined) return problem;
  const program = PROGRAMS[provider];
  if (program !== undefined && (await readOutput(program, ["--version"])) === undefined)
    return (
      `provider ${provider} needs ${program}, which is not installed; ` +
      `install ${provider}, or set machines.vagrant.provider to another one`
    );
  const plugin = PLUGINS[provider];
  if (plugin === undefined) return undefined;
  return pluginProblem(provider, plugin, (await readOutput("vagrant", ["plugin", "list"])) ?? "");
}

/** Returns the output of a program, or undefined if it is not installed or fails. */
async function readOutput(program: string, args: string[]): Promise<string | undefined> {
  const signal = timeoutSignal(60_000);
  const options = { step: `run ${program}`, signal, env: { VAGRANT_CHECKPOINT_DISABLE: "1" } };
  const { code, stdout } = await tryCommand(program, args, options);
  return code === 0 ? stdout : undefined;
}

/** @param output Output of `vagrant --version`: `Vagrant 2.3.4`. */
export function versionProblem(output: string | undefined): string | undefined {
  if (output === undefined) return `Vagrant is not installed; ${INSTALL}`;
  const version = semver.coerce(output)?.version;
  if (version !== undefined && semver.gte(version, OLDEST)) return undefined;
  return `Vagrant ${version ?? "of an unknown version"} is installed, but ${OLDEST} or later is required; ${INSTALL}`;
}

/** @param list Output of `vagrant plugin list`: `vagrant-libvirt (0.12.2, system)`. */
export function pluginProblem(provider: string, plugin: string, list: string): string | undefined {
  if (list.split("\n").some((line) => line.startsWith(`${plugin} `))) return undefined;
  const action = `run \`vagrant plugin install ${plugin}\``;
  return `provider ${provider} needs the plugin ${plugin}, which is not installed; ${action}`;
}
