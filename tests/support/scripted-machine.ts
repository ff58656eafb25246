import { StepError } from "../../common/errors";
import type { Remote, RunOptions } from "../../provider/ssh/remote";

export interface Answer {
  code?: number;
  stdout?: string;
  /** Lines for `onLine`. */
  lines?: readonly string[];
}

/** A machine that answers scripts from a function and records them. */
export class ScriptedMachine {
  readonly scripts: string[] = [];
  readonly inputs: string[] = [];
  readonly label: string;
  patience = 1;

  constructor(
    private readonly answer: (script: string) => Answer | Error | undefined,
    label = "m (10.0.0.1)",
  ) {
    this.label = label;
  }

  async run(script: string, options: RunOptions): Promise<{ code: number; stdout: string; stderr: string }> {
    options.signal.throwIfAborted();
    this.scripts.push(script);
    if (typeof options.stdin === "string") this.inputs.push(options.stdin);
    const answer = this.answer(script) ?? {};
    if (answer instanceof Error) throw answer;
    const { code = 0, stdout = "", lines = [] } = answer;
    for (const line of lines) options.onLine?.(line);
    if (!(options.accept ?? [0]).includes(code)) {
      throw new StepError({ step: options.step, machine: this.label, cause: `exit code ${code}` });
    }
    return { code, stdout, stderr: "" };
  }

  read(script: string, options: RunOptions): Promise<{ code: number; stdout: string; stderr: string }> {
    return this.run(script, options);
  }

  /** The machine under the type that the provider expects. */
  get remote(): Remote {
    return this as unknown as Remote;
  }
}
