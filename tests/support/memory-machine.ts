import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import { extract } from "tar-stream";
import { ARRIVING_SUFFIX } from "../../contracts/files";
import { StepError } from "../../common/errors";
import type { Connections } from "../../provider/ssh/connections";
import type { Context } from "../../provider/rpc/handler";
import type { Remote, RunOptions } from "../../provider/ssh/remote";
import { connectionTo } from "./connection";
import { testContext } from "./context";

export interface MemoryFile {
  content: string;
  mode: string;
}

type Output = string | { code: number; stderr?: string };

/**
 * A machine whose files are in memory. It understands the scripts of provider/host/files.ts, and answers every other
 * script by the first of `answers` that matches, or with nothing.
 */
export class MemoryMachine {
  readonly files = new Map<string, MemoryFile>();
  readonly scripts: string[] = [];
  readonly label: string = "worker-1 (10.0.0.1)";
  readonly connection = connectionTo({ host: "10.0.0.1", name: "worker-1" });
  instance = "a1";
  readonly answers: [RegExp, (script: string) => Output][] = [];

  on(pattern: RegExp, answer: (script: string) => Output): this {
    this.answers.unshift([pattern, answer]);
    return this;
  }

  machineId(): Promise<string> {
    return Promise.resolve(this.instance);
  }

  async run(script: string, options: RunOptions): Promise<{ code: number; stdout: string; stderr: string }> {
    options.signal.throwIfAborted();
    this.scripts.push(script);
    const output = (await this.fileOutput(script, options)) ?? this.answer(script);
    const { code, stderr = "" } = typeof output === "string" ? { code: 0 } : output;
    if (!(options.accept ?? [0]).includes(code))
      throw new StepError({
        step: options.step,
        machine: this.label,
        cause: stderr || `exit code ${code}`,
        action: options.action,
      });
    return { code, stdout: typeof output === "string" ? output : "", stderr };
  }

  read(script: string, options: RunOptions): Promise<{ code: number; stdout: string; stderr: string }> {
    return this.run(script, options);
  }

  /** Inputs that every resource on this machine has. */
  get target() {
    return { connection: this.connection, instance: "a1" };
  }

  /** A context whose connections all lead to this machine. */
  context(parts: Partial<Context> = {}): Context {
    const connections = { get: () => this as unknown as Remote } as unknown as Connections;
    return testContext({ connections, ...parts });
  }

  private answer(script: string): Output {
    return this.answers.find(([pattern]) => pattern.test(script))?.[1](script) ?? "";
  }

  private async fileOutput(script: string, { stdin }: RunOptions): Promise<string | undefined> {
    if (script.includes("stat -c %a"))
      return this.lines(script, ({ mode, content }) => `${octal(mode)} ${hash(content)}`);
    if (script.includes('base64 -w0 < "$f"')) return this.lines(script, ({ content }) => base64(content));
    if (script.includes("tar -C /") && typeof stdin === "function") return await this.receive(stdin());
    const removes = /^rm -f |^is_restored.*\n.*\n.*previous/.test(script);
    if (removes) for (const path of this.files.keys()) if (hasWord(script, path)) this.files.delete(path);
    return removes ? "" : undefined;
  }

  private lines(script: string, describe: (file: MemoryFile) => string): string {
    const existing = [...this.files].filter(([path]) => hasWord(script, path));
    return existing.map(([path, file]) => `${describe(file)} ${path}\n`).join("");
  }

  private async receive(archive: Readable): Promise<string> {
    const entries = extract();
    archive.pipe(entries);
    for await (const entry of entries) {
      const chunks: Buffer[] = [];
      for await (const chunk of entry) chunks.push(Buffer.from(chunk as Uint8Array));
      const path = `/${entry.header.name.replace(ARRIVING_SUFFIX, "")}`;
      const mode = (entry.header.mode ?? 0).toString(8).padStart(4, "0");
      this.files.set(path, { content: Buffer.concat(chunks).toString(), mode });
    }
    return "";
  }
}

function hasWord(script: string, word: string): boolean {
  return script.split(/[\s;'"]+/).includes(word);
}

const octal = (mode: string) => parseInt(mode, 8).toString(8);
const hash = (content: string) => createHash("sha256").update(content).digest("hex");
const base64 = (content: string) => Buffer.from(content).toString("base64");
