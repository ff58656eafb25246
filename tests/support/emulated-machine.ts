import { createHash } from "node:crypto";
import type { ServerChannel } from "ssh2";
import { extract } from "tar-stream";
import { ARRIVING_SUFFIX } from "../../contracts/files";
import type { ScriptResult } from "../../provider/ssh/batch-script";
import { BEGAN, batchOf, inOne } from "./ssh-emulator";

interface EmulatedFile {
  mode: string;
  body: Buffer;
}

/**
 * A machine of the emulator: files and units in memory, and the answers of a Debian machine to the provider's scripts.
 */
export class EmulatedMachine {
  readonly files = new Map<string, EmulatedFile>();
  readonly units = new Map<string, { active: boolean; enabled: boolean }>();

  constructor(readonly index: number) {}

  get machineId(): string {
    return this.index.toString(16).padStart(32, "0");
  }

  answer(channel: ServerChannel, script: string, latencyMs: number): void {
    const say = ({ code, stdout, stderr }: ScriptResult) =>
      setTimeout(() => {
        channel.stderr.write(`${BEGAN}${stderr}`);
        channel.write(stdout);
        channel.exit(code);
        channel.end();
      }, latencyMs);
    if (script.includes("tar -C /")) return this.receive(channel, () => say({ code: 0, stdout: "", stderr: "" }));
    channel.resume();
    const batch = batchOf(script);
    say(
      batch
        ? inOne(
            batch.scripts.map((one) => this.said(one)),
            batch.mark,
          )
        : this.said(script),
    );
  }

  private said(script: string): ScriptResult {
    const stdout = this.answerTo(script);
    return stdout === undefined
      ? { code: 127, stdout: "", stderr: `the emulated machine has no answer to: ${script}` }
      : { code: 0, stdout, stderr: "" };
  }

  private answerTo(script: string): string | undefined {
    if (script.startsWith("# Prints the facts of this machine")) return this.facts();
    if (script.startsWith("# Waits until cloud-init")) return "";
    if (script.startsWith("cat /proc/sys/kernel/random/boot_id")) return "a-boot\n1\n";
    if (script === "cat /etc/machine-id") return `${this.machineId}\n`;
    const [, asked] = /^for f in (.*); do$/m.exec(script) ?? [];
    const present = (asked ?? "")
      .split(" ")
      .flatMap((path) => (this.files.has(path) ? [[path, this.files.get(path)] as const] : []));
    if (script.includes("base64"))
      return present.map(([path, file]) => `${file?.body.toString("base64")} ${path}\n`).join("");
    if (asked)
      return present
        .map(
          ([path, file]) =>
            `${file?.mode} ${createHash("sha256")
              .update(file?.body ?? "")
              .digest("hex")} ${path}\n`,
        )
        .join("");
    if (script.startsWith("rm -f ")) return this.remove(script);
    return script.includes("systemctl") ? this.systemctl(script) : undefined;
  }

  private remove(script: string): string {
    for (const path of (script.split("\n")[0] ?? "").split(" ").slice(2)) this.files.delete(path);
    return "";
  }

  private systemctl(script: string): string {
    for (const [, verb = "", unit = ""] of script.matchAll(
      /^systemctl (enable|disable|restart|stop) (?:--\S+ )*(\S+)/gm,
    )) {
      const state = this.units.get(unit) ?? { active: false, enabled: false };
      if (verb === "restart" || verb === "stop") state.active = verb === "restart";
      else state.enabled = verb === "enable";
      if (verb === "disable" && script.includes("--now")) state.active = false;
      this.units.set(unit, state);
    }
    const [, shown] = /^systemctl show -p \S+ (\S+)/m.exec(script) ?? [];
    if (!shown) return "";
    const state = this.units.get(shown);
    const [active, enabled] = [state?.active ? "active" : "inactive", state?.enabled ? "enabled" : "disabled"];
    return `LoadState=loaded\nActiveState=${active}\nUnitFileState=${enabled}\n`;
  }

  private receive(channel: ServerChannel, done: () => void): void {
    const archive = extract();
    archive.on("entry", ({ name, mode }, stream, next) => {
      const parts: Buffer[] = [];
      stream.on("data", (part) => parts.push(part as Buffer));
      stream.on("end", () => {
        this.files.set(`/${name.slice(0, -ARRIVING_SUFFIX.length)}`, {
          mode: (mode ?? 0o644).toString(8),
          body: Buffer.concat(parts),
        });
        next();
      });
    });
    archive.on("finish", done);
    channel.pipe(archive);
  }

  private facts(): string {
    const facts = {
      os_id: "debian",
      os_version: "12",
      arch: "x86_64",
      kernel: "6.1.0-28-amd64",
      hostname: `host-${this.index}`,
      machine_id: this.machineId,
      boot_id: "1",
      uid: 0,
      cpus: 2,
      memory_kib: 4_194_304,
      swap_kib: 0,
      cgroup: "cgroup2fs",
      cap_sys_resource: "yes",
      conntrack_writable: "yes",
      addresses: "10.0.0.1",
      clock_ms: Date.now(),
      disk_mib: 40_960,
      disk_free_mib: 20_480,
      ports: "22",
      kubernetes: "none",
    };
    return Object.entries(facts)
      .map(([key, value]) => `${key}=${value}\n`)
      .join("");
  }
}
