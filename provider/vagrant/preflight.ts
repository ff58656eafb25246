import semver from "semver";
import type { VagrantProvider } from "../../render/vagrantfile";
import { attempt } from "../docker/command";

/** Debian 12 has 2.3.4; what older ones do is not known here. */
const OLDEST = "2.3.0";
const PLUGINS: Partial<Record<VagrantProvider, string>> = {
  libvirt: "vagrant-libvirt",
  vmware: "vagrant-vmware-desktop",
  parallels: "vagrant-parallels",
  lxc: "vagrant-lxc",
};
/** Programs without which a provider that comes with Vagrant does nothing. */
const PROGRAMS: Partial<Record<VagrantProvider, string>> = { virtualbox: "VBoxManage" };
const INSTALL = "install Vagrant from its vendor or with this system's packages (Debian: `apt-get install vagrant`)";

/** What is missing on this computer for a provider of Vagrant (or for Vagrant alone), with the fix. Each is examined once. */
export class VagrantTroubles {
  private readonly examined = new Map<string, Promise<string | undefined>>();

  find(provider?: VagrantProvider): Promise<string | undefined> {
    const key = provider ?? "";
    const trouble = this.examined.get(key) ?? examine(provider);
    this.examined.set(key, trouble);
    return trouble;
  }
}

async function examine(provider?: VagrantProvider): Promise<string | undefined> {
  const trouble = versionTrouble(await ask("vagrant", ["--version"]));
  if (trouble !== undefined || provider === undefined) return trouble;
  const program = PROGRAMS[provider];
  if (program !== undefined && (await ask(program, ["--version"])) === undefined)
    return `provider ${provider} needs ${program}, which is not installed; install ${provider}, or choose another machines.vagrant.provider`;
  const plugin = PLUGINS[provider];
  return plugin === undefined
    ? undefined
    : pluginTrouble(provider, plugin, (await ask("vagrant", ["plugin", "list"])) ?? "");
}

/** What a program says; undefined where it is not there or fails. */
async function ask(program: string, args: string[]): Promise<string | undefined> {
  const options = {
    step: `looking for ${program}`,
    signal: AbortSignal.timeout(60_000),
    env: { VAGRANT_CHECKPOINT_DISABLE: "1" },
  };
  const { code, stdout } = await attempt(program, args, options);
  return code === 0 ? stdout : undefined;
}

/** Pure. @param said what `vagrant --version` said: `Vagrant 2.3.4` */
export function versionTrouble(said: string | undefined): string | undefined {
  if (said === undefined) return `there is no vagrant on this computer; ${INSTALL}`;
  const version = semver.coerce(said)?.version;
  if (version !== undefined && semver.gte(version, OLDEST)) return undefined;
  return `vagrant is ${version ?? "of an unknown version"}, and ${OLDEST} is the oldest that will do; ${INSTALL}`;
}

/** Pure. @param list what `vagrant plugin list` said: `vagrant-libvirt (0.12.2, system)` */
export function pluginTrouble(provider: string, plugin: string, list: string): string | undefined {
  if (list.split("\n").some((line) => line.startsWith(`${plugin} `))) return undefined;
  return `provider ${provider} needs the plugin ${plugin}, which Vagrant does not have; run \`vagrant plugin install ${plugin}\``;
}
