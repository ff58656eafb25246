import { MemoryMachine } from "./memory-machine";

export const CONFIG = "/etc/demo/demo.conf";
export const GOOD = { [CONFIG]: { content: "policy: none\nport: 1\n", mode: "0644" } };
export const BAD = { [CONFIG]: { content: "policy: static\nport: 1\n", mode: "0644" } };

/** Inputs of the unit of the demo service. */
export const demoUnit = <Files extends typeof GOOD>(machine: MemoryMachine, files: Files) => ({
  ...machine.target,
  unit: "demo.service",
  files,
  enabled: true,
  running: true,
});

/** A service that crash-loops with a static policy, and runs with any other. */
export class DemoMachine extends MemoryMachine {
  active = false;
  starts = 0;
  crashing = false;
  /** Id of the change that the state records; empty if there is none. */
  begun: string[] = [];

  constructor() {
    super();
    this.on(/systemctl restart/, () => {
      this.starts++;
      this.active = true;
      this.crashing = this.files.get(CONFIG)?.content.includes("static") ?? false;
      return "";
    });
    this.on(/systemctl show -p ActiveState/, () => {
      const [active, sub] = !this.active
        ? ["inactive", "dead"]
        : this.crashing
          ? ["activating", "auto-restart"]
          : ["active", "running"];
      const rest = `UnitFileState=enabled\nLoadState=loaded\nInvocationID=i${this.starts}\n`;
      return `ActiveState=${active}\nSubState=${sub}\n${rest}`;
    });
    this.on(/journalctl _SYSTEMD_UNIT/, () => "demo: the static policy needs reserved CPUs\n");
  }

  /** A context that records whether a change has begun. */
  recording(): ReturnType<MemoryMachine["context"]> {
    return this.context({ begin: (id = "by name") => void (this.begun = [id]), undo: () => void (this.begun = []) });
  }
}
