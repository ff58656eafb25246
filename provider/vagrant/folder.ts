import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type VagrantMachine, vagrantName, vagrantfile } from "../../render/vagrantfile";

/** The folder of a stack's Vagrantfile, and what is in it. Vagrant itself keeps `.vagrant/` there. */
export class Folder {
  readonly file: string;
  private readonly list: string;

  constructor(readonly path: string) {
    this.file = join(path, "Vagrantfile");
    this.list = join(path, "machines.json");
  }

  /** The machines that are defined; empty where the folder is not there. */
  machines(): VagrantMachine[] {
    return existsSync(this.list) ? (JSON.parse(readFileSync(this.list, "utf8")) as VagrantMachine[]) : [];
  }

  has(name: string): boolean {
    return this.machines().some((machine) => machine.name === name);
  }

  /** A machine that is on its way out must still be defined while Vagrant destroys it: so each one's definition goes with it, not before. */
  define(machines: readonly VagrantMachine[]): void {
    const names = machines.map(({ name }) => name);
    this.write([...this.machines().filter(({ name }) => !names.includes(name)), ...machines]);
  }

  /** After the last one nothing of ours is left. */
  forget(names: readonly string[]): void {
    const left = this.machines().filter(({ name }) => !names.includes(name));
    if (left.length === 0) rmSync(this.path, { recursive: true, force: true });
    else this.write(left);
  }

  private write(machines: VagrantMachine[]): void {
    mkdirSync(this.path, { recursive: true });
    writeFileSync(this.list, `${JSON.stringify(machines, null, 2)}\n`);
    writeFileSync(this.file, vagrantfile(machines));
  }

  /** The provider's own id of the machine: another one for one that was made anew. */
  idOf({ name, provider }: Pick<VagrantMachine, "name" | "provider">): string | undefined {
    const file = join(this.path, ".vagrant", "machines", name, vagrantName(provider), "id");
    return existsSync(file) ? readFileSync(file, "utf8").trim() || undefined : undefined;
  }
}
