import { parseCidr } from "./cidr";

/** By the names that a person knows them by. */
export const VAGRANT_PROVIDERS = ["virtualbox", "libvirt", "vmware", "parallels", "docker", "lxc"] as const;
export type VagrantProvider = (typeof VAGRANT_PROVIDERS)[number];

/** One machine of a Vagrantfile. */
export interface VagrantMachine {
  /** Its name and its hostname. */
  name: string;
  provider: VagrantProvider;
  /** `fedora/41-cloud-base`; none with the docker provider, which has an image. */
  box?: string | undefined;
  boxVersion?: string | undefined;
  /** Its address in the private network. */
  address: string;
  /** The private network. */
  subnet: string;
  cpus?: number | undefined;
  memoryMiB?: number | undefined;
  diskGiB?: number | undefined;
  /** Whether the folder of the Vagrantfile is at /vagrant in the machine. */
  syncedFolder: boolean;
  /** With the docker provider: a reference or id, and the words of `docker run` that make a machine of a container. */
  image?: string | undefined;
  dockerArguments?: readonly string[] | undefined;
}

const HEAD = `# Written by Kubewright, which keeps it as its configuration says: changes here are lost.
# To bring a Vagrantfile of your own, set machines.vagrant.vagrantfile.
`;

/** Pure: the Vagrantfile of a stack, one definition per machine. */
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

/** The first interface is Vagrant's own (NAT); this is the second, by which the machines know one another. */
function network({ provider, address, subnet }: VagrantMachine): string[] {
  // vagrant-lxc's own private networks ended with LXC 3: there it is an interface of the container (settings).
  if (provider === "lxc") return [];
  const prefix = prefixOf(subnet);
  // Vagrant's docker provider takes the netmask as a prefix length, the others as an address.
  return [
    `machine.vm.network 'private_network', ip: ${ruby(address)}, netmask: ${provider === "docker" ? String(prefix) : ruby(maskOf(prefix))}`,
  ];
}

function prefixOf(subnet: string): number {
  return parseCidr(subnet)?.prefix ?? 24;
}

/** Two providers grow the disk through Vagrant itself, the others by a setting of their own. */
function disk({ provider, diskGiB }: VagrantMachine): string[] {
  const byVagrant = provider === "virtualbox" || provider === "vmware";
  return diskGiB !== undefined && byVagrant
    ? [`machine.vm.disk :disk, size: ${ruby(`${diskGiB}GB`)}, primary: true`]
    : [];
}

function settings(machine: VagrantMachine): string[] {
  const { provider, cpus, memoryMiB, diskGiB } = machine;
  const where = (value: number | undefined, line: (value: number) => string) =>
    value === undefined ? [] : [line(value)];
  switch (provider) {
    case "virtualbox":
      return [
        "p.linked_clone = true",
        ...where(cpus, (n) => `p.cpus = ${n}`),
        ...where(memoryMiB, (n) => `p.memory = ${n}`),
      ];
    case "libvirt":
      return [
        ...where(cpus, (n) => `p.cpus = ${n}`),
        ...where(memoryMiB, (n) => `p.memory = ${n}`),
        ...where(diskGiB, (n) => `p.machine_virtual_size = ${n}`),
      ];
    case "vmware":
      return [
        ...where(cpus, (n) => `p.vmx['numvcpus'] = '${n}'`),
        ...where(memoryMiB, (n) => `p.vmx['memsize'] = '${n}'`),
      ];
    case "parallels":
      return [
        ...where(cpus, (n) => `p.cpus = ${n}`),
        ...where(memoryMiB, (n) => `p.memory = ${n}`),
        ...where(diskGiB, (n) => `p.customize ['set', :id, '--device-set', 'hdd0', '--size', '${n * 1024}']`),
      ];
    case "docker":
      return dockerSettings(machine);
    case "lxc":
      return [...lxcInterface(machine), ...where(memoryMiB, (n) => `p.customize 'cgroup2.memory.max', '${n}M'`)];
  }
}

/** Beside the first one, on the bridge that LXC brings. */
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
    ...dockerArguments.map((word) => `  ${ruby(word)},`),
    "]",
  ];
}

/** What Vagrant calls the provider. */
export function vagrantName(provider: VagrantProvider): string {
  return provider === "vmware" ? "vmware_desktop" : provider;
}

/** A Ruby string in which nothing is evaluated. */
function ruby(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

function maskOf(prefix: number): string {
  const mask = prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0;
  return [24, 16, 8, 0].map((shift) => (mask >>> shift) & 255).join(".");
}
