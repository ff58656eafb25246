import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf, StepError } from "../../common/errors";
import { silent } from "../../common/progress";
import { requireStack } from "../engine/cluster-api";
import { machineConnection } from "../engine/state";
import { prepareEngine } from "../engine/workspace";
import { SSH_ALIAS, sshFiles } from "../nodes/ssh-config";
import { nodeArgument, type Options } from "../terminal/options";

/** `kubewright ssh worker-1`: logs in to a machine with OpenSSH, or runs a command on it. Returns its exit code. */
export async function run(options: Options): Promise<number> {
  await prepareEngine(silent, new AbortController().signal);
  const stack = await requireStack(options.stack);
  const connection = await machineConnection(stack, nodeArgument(options));
  const folder = mkdtempSync(join(tmpdir(), "kubewright-ssh-"));
  try {
    for (const [name, text] of Object.entries(sshFiles(connection, folder)))
      writeFileSync(join(folder, name), text, { mode: 0o600 });
    return await runSsh(["-F", join(folder, "config"), SSH_ALIAS, ...options.words.slice(1)]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Ctrl-C belongs to the program on the machine: this process waits for ssh to end. */
async function runSsh(args: readonly string[]): Promise<number> {
  const ignore = () => undefined;
  process.on("SIGINT", ignore);
  try {
    return await new Promise<number>((done, fail) => {
      const child = spawn("ssh", args, { stdio: "inherit" });
      child.once("error", (error) => fail(missingSsh(error)));
      child.once("exit", (code) => done(code ?? 255));
    });
  } finally {
    process.removeListener("SIGINT", ignore);
  }
}

function missingSsh(error: Error): StepError {
  return new StepError({ step: "starting ssh", cause: messageOf(error), action: "install the OpenSSH client" });
}
