import { createHash } from "node:crypto";
import { text } from "node:stream/consumers";
import type { Readable } from "node:stream";
import { ConnectionError } from "../../provider/ssh/errors";
import type { RunOptions } from "../../provider/ssh/remote";
import { Faults } from "./faults";
import { MemoryMachine, type MemoryFile } from "./memory-machine";
import { placeManifest } from "./place-manifest";

/** A systemd unit of the machine. Its files are those below `/etc/<name>`, its data is below `/var/lib/<name>`. */
interface MemoryUnit {
  active: boolean;
  enabled: boolean;
  starts: number;
  /** The unit's files when it was started. */
  startedWith: string;
}

const MANIFESTS = "/etc/kubernetes/manifests";
const LOADED = "/var/lib/kubewright/images";
/** In a unit's file: the unit crash-loops with it. */
export const CRASHES = "crashes\n";

/**
 * A Debian machine in memory: files, units, packages, kernel settings, firewall rules, images, and a kubelet that runs
 * static pods. It understands the scripts of the provider, and each script can fail before, halfway, or after its work.
 */
export class NodeMachine extends MemoryMachine {
  readonly patience = 1;
  readonly units = new Map<string, MemoryUnit>();
  readonly packages = new Set<string>();
  readonly rules = new Set<string>();
  readonly images = new Set<string>();
  readonly modules = new Set<string>();
  readonly sysctls = new Map<string, string>();
  /** Components whose rules and links are on the machine. */
  readonly leftovers = new Set<string>();
  /** Manifests that the kubelet runs, by path. */
  private readonly pods = new Map<string, string>();

  constructor(readonly faults = new Faults()) {
    super();
    this.files.set("/etc/hosts", { content: "127.0.0.1 localhost\n", mode: "0644" });
    this.files.set("/etc/own.conf", { content: "the user's own\n", mode: "0644" });
    this.answerUnits();
    this.answerPackages();
    this.answerKernel();
    this.answerFirewall();
    this.answerImages();
    this.answerStaticPods();
  }

  override machineId(): Promise<string> {
    return this.faults.pass(
      () => super.machineId(),
      () => this.lost(),
    );
  }

  override async run(script: string, options: RunOptions): Promise<{ code: number; stdout: string; stderr: string }> {
    options.signal.throwIfAborted();
    const work = async (isHalf: boolean) => {
      const before = new Map(this.files);
      if (isHalf) this.startOnly(script);
      const result = await this.execute(isHalf ? firstHalf(script) : script, options);
      if (isHalf && script.includes("tar -C /")) this.loseHalf(before);
      return result;
    };
    return await this.faults.pass(work, () => this.lost());
  }

  /** Does what a script leaves that is interrupted at its beginning. */
  protected startOnly(_script: string): void {
    return;
  }

  /** Runs a script without a fault. */
  protected async execute(script: string, options: RunOptions) {
    if (script.includes("images import") && typeof options.stdin === "function")
      await this.loadArchive(script, options.stdin());
    if (script.includes("cat > /etc/hosts.") && typeof options.stdin === "string")
      this.files.set("/etc/hosts", { content: options.stdin, mode: "0644" });
    return await super.run(script, options);
  }

  private lost(): Error {
    return new ConnectionError(this.connection, "connection lost", "transient");
  }

  /** Restores every second file that was written: the connection was lost while the files were moved into place. */
  private loseHalf(before: ReadonlyMap<string, MemoryFile>): void {
    const written = [...this.files].filter(([path, file]) => before.get(path) !== file);
    for (const [path] of written.filter((_, index) => index % 2 === 1)) {
      const previous = before.get(path);
      if (previous) this.files.set(path, previous);
      else this.files.delete(path);
    }
  }

  /** Everything on the machine that a resource may change. */
  snapshot() {
    this.runStaticPods();
    const units = [...this.units].map(([name, { active, enabled, startedWith }]) => {
      const state = active && startedWith !== this.filesOf(name) ? "runs with other files" : active ? "active" : "dead";
      return [name, `${state}${enabled ? ", enabled" : ""}`] as const;
    });
    const configured = this.files.get("/etc/sysctl.d/99-kubewright.conf")?.content ?? "";
    return {
      files: sorted(
        [...this.files]
          .filter(([path]) => !path.startsWith(`${LOADED}/`))
          .map(([path, { mode, content }]) => [path, `${mode} ${content}`]),
      ),
      units: sorted(units.filter(([, state]) => state !== "dead")),
      pods: sorted(this.pods),
      rules: [...this.rules].sort(),
      leftovers: [...this.leftovers].sort(),
      sysctls: sorted([...this.sysctls].filter(([name]) => configured.includes(`${name} = `))),
    };
  }

  private filesOf(unit: string): string {
    const own = [...this.files].filter(([path]) => path.startsWith(`/etc/${unit}/`));
    return JSON.stringify(sorted(own.map(([path, { mode, content }]) => [path, `${mode} ${content}`])));
  }

  private unit(name: string): MemoryUnit {
    const unit = this.units.get(name) ?? { active: false, enabled: false, starts: 0, startedWith: "" };
    this.units.set(name, unit);
    return unit;
  }

  private answerUnits(): void {
    this.on(/systemctl show -p ActiveState/, (script) => this.showUnit(script));
    this.on(/^systemctl |^set -e\nsystemctl |\nsystemctl (restart|stop)/, (script) => {
      for (const line of script.split("\n")) this.systemctl(line.split(" ").filter((word) => !word.startsWith("--")));
      if (script.includes("--now")) this.unit(unitIn(script)).active = false;
      return "";
    });
    // The machine had none of the units' folders before its first change.
    this.on(/grep -qsxF "folder \$f" .* \|\| echo "\$f"/, (script) =>
      (/^for f in (.*?); do/.exec(script)?.[1] ?? "").split(" ").join("\n"),
    );
    this.on(/-mindepth 1 -delete/, (script) => {
      for (const [, folder = ""] of script.matchAll(/^ {2}find (\S+)/gm)) this.deleteBelow(folder);
      return "";
    });
  }

  private showUnit(script: string): string {
    const name = script.split(" ").at(-1) ?? "";
    const [, required] = /^\[ -e (\S+) \]/m.exec(script) ?? [];
    const { active, enabled, starts } = this.units.get(name) ?? { active: false, enabled: false, starts: 0 };
    const crashes = active && this.filesOf(name).includes(JSON.stringify(CRASHES).slice(1, -1));
    const state = crashes ? "activating\nSubState=auto-restart" : active ? "active\nSubState=running" : "inactive";
    return [
      ...(required !== undefined && !this.files.has(required) ? ["Startable=no"] : []),
      `ActiveState=${state}`,
      `UnitFileState=${enabled ? "enabled" : "disabled"}`,
      `InvocationID=${starts}`,
    ].join("\n");
  }

  private systemctl([program, verb, name = ""]: string[]): void {
    if (program !== "systemctl" || verb === undefined || name === "") return;
    const unit = this.unit(name);
    if (verb === "enable" || verb === "disable") unit.enabled = verb === "enable";
    if (verb === "stop") unit.active = false;
    if (verb !== "restart") return;
    Object.assign(unit, { active: true, starts: unit.starts + 1, startedWith: this.filesOf(name) });
    this.files.set(`/var/lib/${name}/data`, { content: "data", mode: "0600" });
  }

  protected deleteBelow(folder: string): void {
    for (const path of this.files.keys()) if (path.startsWith(`${folder}/`)) this.files.delete(path);
  }

  private answerPackages(): void {
    this.on(/^for p in .*\n.*dpkg-query/, (script) => {
      const names = (/^for p in (.*); do/.exec(script)?.[1] ?? "").split(" ");
      return names.filter((name) => !this.packages.has(name)).join("\n");
    });
    this.on(/apt-get -qq install/, (script) => {
      const [, names = ""] = /--no-install-recommends (.*)$/m.exec(script) ?? [];
      for (const name of names.split(" ")) this.packages.add(name);
      return "";
    });
  }

  private answerKernel(): void {
    this.on(/sysctl -q -p (\S+)/, (script) => {
      for (const [, name = ""] of script.matchAll(/^modprobe (\S+)$/gm)) this.modules.add(name);
      const lines = (this.files.get("/etc/sysctl.d/99-kubewright.conf")?.content ?? "").split("\n");
      for (const line of lines.filter(Boolean)) this.sysctls.set(...(line.split(" = ") as [string, string]));
      return "";
    });
    this.on(/\$\(sysctl -n/, (script) => {
      const names = [...script.matchAll(/sysctl -n (\S+)/g)].map(([, name = ""]) => name);
      return names.map((name) => `${name}=${this.sysctls.get(name) ?? ""}\n`).join("");
    });
  }

  private answerFirewall(): void {
    this.on(/^verb=/, (script) => {
      const value = (key: string) => new RegExp(`^${key}='?([^'\n]*)`, "m").exec(script)?.[1] ?? "";
      const rules = `${value("ports")} ${value("ranges")}`.split(" ").filter(Boolean);
      const verb = value("verb");
      if (verb === "close") for (const rule of rules) this.rules.delete(rule);
      if (verb === "open") for (const rule of rules) this.rules.add(rule);
      const missing = verb === "missing" ? rules.filter((rule) => !this.rules.has(rule)) : [];
      return `firewall=firewalld\n${missing.map((rule) => `missing=${rule}\n`).join("")}`;
    });
    this.on(/^base64 -w0 < \/etc\/hosts/, () =>
      Buffer.from(this.files.get("/etc/hosts")?.content ?? "").toString("base64"),
    );
  }

  private answerImages(): void {
    this.on(/images ls -q/, () => {
      const loaded = [...this.files.keys()].filter((path) => path.startsWith(`${LOADED}/`));
      return [...this.images, ...loaded.map((path) => path.slice(LOADED.length + 1))].join("\n");
    });
    this.on(/images pull .* (\S+)(;| \})/, (script) => {
      const [, ref = ""] = /images pull --hosts-dir \S+ (\S+?);/.exec(script) ?? [];
      this.images.add(ref);
      return "";
    });
    this.on(/images rm --sync/, (script) => {
      for (const ref of [...this.images]) if (script.includes(ref)) this.images.delete(ref);
      this.deleteBelow(LOADED);
      return "";
    });
  }

  /** Loads an archive, which is a text of image references. */
  private async loadArchive(script: string, archive: Readable): Promise<void> {
    for (const ref of (await text(archive)).split("\n")) this.images.add(ref);
    const [, sha = ""] = /^touch \S+\/(\S+)$/m.exec(script) ?? [];
    this.files.set(`${LOADED}/${sha}`, { content: "", mode: "0644" });
  }

  private answerStaticPods(): void {
    this.on(/^set -e\nif cmp -s/, (script) => placeManifest(this.files, script));
    this.on(/docker ps -q/, () => {
      this.runStaticPods();
      return [...this.pods.values()].map((content) => `${containerOf(content)}\n`).join("");
    });
  }

  /** Runs what is in the kubelet's folder, as the kubelet does when it reads the folder again. */
  private runStaticPods(): void {
    this.pods.clear();
    for (const [path, { content }] of this.files) if (path.startsWith(`${MANIFESTS}/`)) this.pods.set(path, content);
  }
}

function sorted(entries: Iterable<readonly [string, string]>): Record<string, string> {
  return Object.fromEntries([...entries].sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** The first half of a script of several systemctl commands. Other scripts do nothing before they are complete. */
function firstHalf(script: string): string {
  const lines = script.split("\n");
  if (script.includes("tar -C /")) return script;
  const commands = lines.filter((line) => line.startsWith("systemctl "));
  return commands.length > 1 ? lines.slice(0, Math.ceil(lines.length / 2)).join("\n") : "true";
}

/** Id of the container that runs a manifest. */
function containerOf(manifest: string): string {
  return createHash("sha256").update(manifest).digest("hex");
}

function unitIn(script: string): string {
  return script.split(" ").find((word) => word.endsWith(".service")) ?? "";
}
