import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { StepError } from "../../common/errors";
import { runCommand } from "../../common/process";
import { userCommand } from "../../common/user-command";
import { hostContract } from "../../contracts/host/host";
import { byNumber } from "../../provider/preview/step";
import { ADOPT_VARIABLE } from "../../provider/settings/settings";
import { fingerprint } from "../../provider/ssh/host-key";
import { Diagnostics } from "../terminal/diagnostics";
import { withoutSecretMarks } from "./secrets";
import type { Session } from "./session";
import { hiddenFolder, stackConfigFile } from "./paths";
import { resourcesOf, type StateResource } from "./state";
import { openScratchStack } from "./workspace";

/** A machine of the configuration, as the adoption has found it. */
export interface AdoptedMachine {
  name: string;
  address: string;
  /** Fingerprint of its SSH host key: `ssh-ed25519 SHA256:...`. */
  hostKey: string;
  /** Whether nothing but this connection vouches for the host key. */
  isFirstConnection: boolean;
}

/** What an adoption has read. */
export interface ReadAdoption {
  machines: AdoptedMachine[];
  /** Number of resources. */
  resources: number;
  /** Warnings, such as differences of the control plane. */
  notices: string[];
}

/**
 * Runs `work` with a stack in a temporary folder. The configuration file, to which a new stack adds a salt, is restored
 * unless `work` calls `keep`.
 */
export async function withScratchStack<T>(
  name: string,
  work: (scratch: Stack, keep: () => void) => Promise<T>,
): Promise<T> {
  mkdirSync(hiddenFolder(), { recursive: true });
  const folder = mkdtempSync(join(hiddenFolder(), "adopt-"));
  const file = stackConfigFile(name);
  const before = existsSync(file) ? readFileSync(file) : undefined;
  let isKept = false;
  try {
    return await work(await openScratchStack(name, folder), () => (isKept = true));
  } finally {
    if (!isKept && before === undefined) rmSync(file, { force: true });
    else if (!isKept && before) writeFileSync(file, before);
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Takes everything that the configuration describes into the scratch stack, and reads what is really there. Changes
 * nothing on machines and in the cluster.
 * @throws StepError with all that refuses the adoption
 */
export async function adoptInto(scratch: Stack, { signal, progress }: Session): Promise<ReadAdoption> {
  const diagnostics = new Diagnostics();
  const options = { onEvent: diagnostics.onEvent, signal, color: "never" as const };
  progress("taking the machines and the cluster into a new state");
  scratch.workspace.envVars[ADOPT_VARIABLE] = "1";
  try {
    await scratch.up({ ...options, continueOnError: true });
    delete scratch.workspace.envVars[ADOPT_VARIABLE];
    progress("reading every machine");
    await scratch.refresh(options);
  } catch (error) {
    signal.throwIfAborted();
    throw diagnostics.failures.length > 0 ? refusal(diagnostics.failures) : error;
  }
  const resources = (await resourcesOf(scratch)).filter(({ type }) => !type.startsWith("pulumi:"));
  const machines = resources.flatMap(machineOf).sort((one, other) => byNumber(one.name, other.name));
  const notices = diagnostics.warnings.map(({ text, resource }) => (resource ? `${resource}: ${text}` : text));
  return { machines, resources: resources.length, notices };
}

function refusal(failures: readonly string[]): StepError {
  const causes = failures.map((failure) => `✗ ${failure}`);
  const next = `Correct this, then run \`${userCommand("adopt")}\` again.`;
  return new StepError({
    step: "adopting the cluster",
    cause: ["refused, and nothing was changed", ...causes, next].join("\n"),
  });
}

function machineOf({ type, urn, inputs, outputs }: StateResource): AdoptedMachine[] {
  if (type !== hostContract.type) return [];
  const { connection } = hostContract.inputs.parse(withoutSecretMarks(inputs));
  const { hostKey } = hostContract.outputs.pick({ hostKey: true }).parse(withoutSecretMarks(outputs));
  const name = connection.name ?? (urn.split("::").pop() ?? "").replace(/-host$/, "");
  const isFirstConnection = connection.hostKey === undefined;
  return [{ name, address: connection.host, hostKey: fingerprint(hostKey), isFirstConnection }];
}

/** Copies the scratch stack's state, in which secrets stay encrypted, to the user's stack. */
export async function keepAdoption(scratch: Stack, stack: Stack, signal: AbortSignal): Promise<void> {
  const folder = mkdtempSync(join(hiddenFolder(), "adopt-"));
  try {
    const file = join(folder, "state.json");
    const cwd = stack.workspace.workDir;
    const args = ["--stack", stack.name, "--file", file, "--non-interactive"];
    const env = scratch.workspace.envVars;
    await runCommand("pulumi", ["stack", "export", ...args], { step: "copying the new state", signal, cwd, env });
    await runCommand("pulumi", ["stack", "import", ...args], { step: "writing the new state", signal, cwd });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
