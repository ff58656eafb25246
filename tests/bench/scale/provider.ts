import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../../common/project-root";

/** The real provider process. The benchmark starts it, so that it can be observed from outside. */
export class ProviderProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: string,
  ) {}

  static async start(): Promise<ProviderProcess> {
    const child = spawn(join(projectRoot(), "bin", "pulumi-resource-kubewright"), {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const [said] = (await once(child.stdout ?? child, "data")) as [Buffer];
    return new ProviderProcess(child, said.toString().trim());
  }

  /** Peak memory in MiB (proc(5), VmHWM). */
  get mostMemoryMiB(): number {
    return Math.round(
      Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${this.child.pid}/status`, "utf8"))?.[1] ?? NaN) / 1024,
    );
  }

  /** Processor time in seconds, user and kernel (proc(5), utime and stime, in hundredths). */
  get processorSeconds(): number {
    const fields = readFileSync(`/proc/${this.child.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  stop(): void {
    this.child.stdin?.end(); // tells the provider that the engine has ended
  }
}
