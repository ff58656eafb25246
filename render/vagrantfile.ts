import { parseCidr } from "./cidr";

/** The supported providers, by their common names. */
export const VAGRANT_PROVIDERS = ["virtualbox", "libvirt", "vmware", "parallels", "docker", "lxc"] as const;
export type VagrantProvider = (typeof VAGRANT_PROVIDERS)[number];

/** One machine of a Vagrantfile. */
export interface VagrantMachine {
  /** Name and hostname. */
  name: string;
  provider: VagrantProvider;
  /** `fedora/41-cloud-base`. Absent with the docker provider, which has an image. */
  box?: string | undefined;
  boxVersion?: string | undefined;
  /** Address in the private network. */
  address: string;
  /** CIDR of the private network. */
  subnet: string;
  cpus?: number | undefined;
  memoryMiB?: number | undefined;
  diskGiB?: number | undefined;
  /** Mounts the folder of the Vagrantfile at /vagrant. */
  syncedFolder: boolean;
  /** With the docker provider: reference or id of the image. */
  image?: string | undefined;
  /** With the docker provider: arguments of `docker run` that make the container behave like a machine. */
  dockerArguments?: readonly string[] | undefined;
}

const HEAD = `# Written by Kubewright from its configuration. Changes to this file are overwritten.
# To use your own Vagrantfile, set machines.vagrant.vagrantfile.
`;

/** Renders the Vagrantfile of a stack, with one definition per machine. */
export function vagrantfile(machines: readonly VagrantMachine[]): string {
  const sorted = [...machines].sort((one, other) => (one.name < other.name ? -1 : 1));
  return `${HEAD}Vagrant.configure('2') do |config|\n${sorted.map(definition).join("\n")}end\n`;
}

function definition(machine: VagrantMachine): string {
  const lines = [
    `machine.vm.hostname = ${ruby(machine.name)}`,
    ...box(machine),
    ...network(machine),
    `machine.vm.synced_folder '.', '/vagrant'${machine.syncedFolder ? "" : ", disabled: true"}`,
    ...disk(machine),
    `machine.vm.provider ${ruby(vagrantName(machine.provider))} do |p|`,
    ...settings(machine).map((line) => `  ${line}`),
    "end",
  ];
  return [`config.vm.define ${ruby(machine.name)} do |machine|`, ...lines.map((line) => `  ${line}`), "end"]
    .map((line) => `  ${line}\n`)
    .join("");
}

function box({ box: name, boxVersion }: VagrantMachine): string[] {
  if (name === undefined) return [];
  const version = boxVersion === undefined ? [] : [`machine.vm.box_version = ${ruby(boxVersion)}`];
  return [`machine.vm.box = ${ruby(name)}`, ...version, "machine.vm.box_check_update = false"];
}

/** The second interface, through which the machines reach one another. The first is Vagrant's own, with NAT. */
function network({ provider, address, subnet }: VagrantMachine): string[] {
  // vagrant-lxc has no private networks since LXC 3. Its second interface is part of the provider's settings.
  if (provider === "lxc") return [];
  const prefix = prefixOf(subnet);
  // Vagrant's docker provider expects the netmask as a prefix length, others as an address.
  const netmask = provider === "docker" ? String(prefix) : ruby(maskOf(prefix));
  return [`machine.vm.network 'private_network', ip: ${ruby(address)}, netmask: ${netmask}`];
}

function prefixOf(subnet: string): number {
  return parseCidr(subnet)?.prefix ?? 24;
}

/**
 * Resizes the disk through Vagrant itself, for the two providers that support it. Others have a setting of their own.
 */
function disk({ provider, diskGiB }: VagrantMachine): string[] {
  const byVagrant = provider === "virtualbox" || provider === "vmware";
  return diskGiB !== undefined && byVagrant
    ? [`machine.vm.disk :disk, size: ${ruby(`${diskGiB}GB`)}, primary: true`]
    : [];
}

function settings(machine: VagrantMachine): string[] {
  const { provider, cpus, memoryMiB, diskGiB } = machine;
  const ifSet = (value: number | undefined, line: (value: number) => string) =>
    value === undefined ? [] : [line(value)];
  switch (provider) {
    case "virtualbox":
      return [
        "p.linked_clone = true",
        ...ifSet(cpus, (n) => `p.cpus = ${n}`),
        ...ifSet(memoryMiB, (n) => `p.memory = ${n}`),
      ];
    case "libvirt":
      return [
        ...ifSet(cpus, (n) => `p.cpus = ${n}`),
        ...ifSet(memoryMiB, (n) => `p.memory = ${n}`),
        ...ifSet(diskGiB, (n) => `p.machine_virtual_size = ${n}`),
      ];
    case "vmware":
      return [
        ...ifSet(cpus, (n) => `p.vmx['numvcpus'] = '${n}'`),
        ...ifSet(memoryMiB, (n) => `p.vmx['memsize'] = '${n}'`),
      ];
    case "parallels":
      return [
        ...ifSet(cpus, (n) => `p.cpus = ${n}`),
        ...ifSet(memoryMiB, (n) => `p.memory = ${n}`),
        ...ifSet(diskGiB, (n) => `p.customize ['set', :id, '--device-set', 'hdd0', '--size', '${n * 1024}']`),
      ];
    case "docker":
      return dockerSettings(machine);
    case "lxc":
      return [...lxcInterface(machine), ...ifSet(memoryMiB, (n) => `p.customize 'cgroup2.memory.max', '${n}M'`)];
  }
}

/** The second interface, on LXC's default bridge. */
function lxcInterface({ address, subnet }: VagrantMachine): string[] {
  const settings = { type: "veth", link: "lxcbr0", flags: "up", "ipv4.address": `${address}/${prefixOf(subnet)}` };
  return Object.entries(settings).map(([key, value]) => `p.customize ${ruby(`net.1.${key}`)}, ${ruby(value)}`);
}

function dockerSettings({ image = "", dockerArguments = [] }: VagrantMachine): string[] {
  return [
    `p.image = ${ruby(image)}`,
    "p.pull = false",
    "p.has_ssh = true",
    "p.create_args = [",
    ...dockerArguments.map((argument) => `  ${ruby(argument)},`),
    "]",
  ];
}

/** Returns Vagrant's name of the provider. */
export function vagrantName(provider: VagrantProvider): string {
  return provider === "vmware" ? "vmware_desktop" : provider;
}

/** Renders a Ruby string literal without interpolation. */
function ruby(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function maskOf(prefix: number): string {
  const mask = prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0;
  return [24, 16, 8, 0].map((shift) => (mask >>> shift) & 255).join(".");
}
