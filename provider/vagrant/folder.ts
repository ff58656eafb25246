import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type VagrantMachine, vagrantName, vagrantfile } from "../../render/vagrantfile";

/** The folder of a stack's Vagrantfile. Vagrant keeps its own data in `.vagrant/` there. */
export class VagrantFolder {
  readonly file: string;
  private readonly machinesFile: string;

  constructor(readonly path: string) {
    this.file = join(path, "Vagrantfile");
    this.machinesFile = join(path, "machines.json");
  }

  /** Returns the defined machines. Empty if the folder does not exist. */
  machines(): VagrantMachine[] {
    if (!existsSync(this.machinesFile)) return [];
    return JSON.parse(readFileSync(this.machinesFile, "utf8")) as VagrantMachine[];
  }

  has(name: string): boolean {
    return this.machines().some((machine) => machine.name === name);
  }

  /** Adds or replaces definitions. Others stay, because Vagrant can only destroy machines that are defined. */
  define(machines: readonly VagrantMachine[]): void {
    const names = machines.map(({ name }) => name);
    this.write([...this.machines().filter(({ name }) => !names.includes(name)), ...machines]);
  }

  /** Removes definitions, and the folder together with the last one. */
  undefine(names: readonly string[]): void {
    const remaining = this.machines().filter(({ name }) => !names.includes(name));
    if (remaining.length === 0) rmSync(this.path, { recursive: true, force: true });
    else this.write(remaining);
  }

  private write(machines: VagrantMachine[]): void {
    mkdirSync(this.path, { recursive: true });
    writeFileSync(this.machinesFile, `${JSON.stringify(machines, null, 2)}\n`);
    writeFileSync(this.file, vagrantfile(machines));
  }

  /**
   * Returns the provider's id of a machine, which changes when the machine is recreated. Undefined if it does not
   * exist.
   */
  machineId(machine: Pick<VagrantMachine, "name" | "provider">): string | undefined {
    const file = join(this.dataFolder(machine), "id");
    return existsSync(file) ? readFileSync(file, "utf8").trim() || undefined : undefined;
  }

  /** Whether Vagrant has data of the machine, of which it keeps the empty folder when it destroys the machine. */
  hasDataOf(machine: Pick<VagrantMachine, "name" | "provider">): boolean {
    return existsSync(this.dataFolder(machine));
  }

  private dataFolder({ name, provider }: Pick<VagrantMachine, "name" | "provider">): string {
    return join(this.path, ".vagrant", "machines", name, vagrantName(provider));
  }
}
