import { StepError, messageOf } from "../../common/errors";
import { until } from "../../common/wait";
import { ENCRYPTION_FLAG } from "../../render/encryption";
import { MANIFESTS } from "../../render/component-paths";
import { readContents, sha256, textFile, writeFiles } from "../host/files";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

const STEP = "changing the encryption of Secrets";
/** An API server reads a changed file once a minute. */
const RELOAD_SECONDS = 150;
const API_SERVER = `${MANIFESTS}/kube-apiserver.yaml`;

/** Reads an API server's encryption configuration, a secret; undefined if there is none. */
export async function readConfiguration(
  machine: Remote,
  path: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  return (await readContents(machine, [path], signal)).get(path);
}

/** How the machine's API server uses encryption. `none`: there is no API server. */
export async function readUse(machine: Remote, signal: AbortSignal): Promise<"none" | "plain" | "configured"> {
  const manifest = (await readContents(machine, [API_SERVER], signal)).get(API_SERVER);
  if (manifest === undefined) return "none";
  return manifest.includes(`--${ENCRYPTION_FLAG}=`) ? "configured" : "plain";
}

export interface EncryptionChange {
  path: string;
  /** The configuration, a secret. */
  text: string;
  /** The configuration before it; undefined if there was none. */
  before: string | undefined;
}

/**
 * Writes an API server's encryption configuration, and waits until it uses it. Otherwise the configuration before is
 * restored: the API server still uses that one, and could not start with a configuration that it refuses.
 * @throws StepError when it does not use the configuration
 */
export async function useConfiguration(context: Context, machine: Remote, change: EncryptionChange): Promise<void> {
  const { path, text, before } = change;
  const { signal } = context;
  await writeConfiguration(machine, { path, text }, signal);
  try {
    await waitForReload(context, machine, text);
  } catch (error) {
    if (!signal.aborted && before !== undefined) await writeConfiguration(machine, { path, text: before }, signal);
    throw error;
  }
}

/** Writes an API server's encryption configuration, which only root may read. */
export async function writeConfiguration(
  machine: Remote,
  { path, text }: { path: string; text: string },
  signal: AbortSignal,
): Promise<void> {
  await writeFiles(machine, [textFile(path, text, "0600")], STEP, signal);
}

/**
 * Waits until the API server on the machine uses this configuration: its metrics have the file's hash.
 * @throws StepError when it does not
 */
export async function waitForReload(context: Context, machine: Remote, text: string): Promise<void> {
  const { signal, kube } = context;
  const hash = `hash="sha256:${sha256(text)}"`;
  let last = "it uses another configuration";
  context.status(`waiting until the API server of ${machine.label} reads its encryption configuration`);
  await until(
    async () => {
      const metrics = await kube.readText(machine.connection, "/metrics", signal).catch((error: unknown) => {
        last = messageOf(error);
        return "";
      });
      return metrics.includes(hash) ? true : undefined;
    },
    {
      signal,
      timeout: RELOAD_SECONDS,
      patience: machine.patience,
      every: 2_000,
      onTimeout: (seconds) =>
        new StepError({
          step: STEP,
          machine: machine.label,
          cause: `the API server has not read its encryption configuration after ${seconds} s: ${last}`,
          action: "look for `encryption` in the log of kube-apiserver, then run `pulumi up` again",
        }),
    },
  );
}
