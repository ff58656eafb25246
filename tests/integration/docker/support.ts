import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Contract } from "../../../contracts/contract";
import { silent } from "../../../common/progress";
import { dockerEnvironment, ensureDaemon } from "../../../provider/docker/daemon";
import { dockerResources } from "../../../provider/resources/docker/resources";
import { type Context, type Handler, type Recorded, registryOf } from "../../../provider/rpc/handler";
import { output, run } from "../../../common/process";
import { testContext } from "../../support/context";

export type Values = Record<string, unknown>;
export type Made = { id: string; outputs: Values };

/** Returns why these tests cannot run here; undefined if they can. Installs Docker where possible. */
export async function dockerIsMissing(): Promise<string | undefined> {
  return await ensureDaemon(dockerEnvironment(process.env), silent, AbortSignal.timeout(240_000)).then(
    () => undefined,
    (error: Error) => error.message,
  );
}

type AnyHandler = Required<Handler<Contract, Values, Values>>;

export function handler(kind: "Image" | "Network" | "Machine"): AnyHandler {
  return registryOf(dockerResources)[`kubewright:docker:${kind}`] as unknown as AnyHandler;
}

/** A context that records its messages. */
export function context(name: string, signal = AbortSignal.timeout(240_000)): Context & { said: string[] } {
  const said: string[] = [];
  const say = (message: string) => void said.push(message);
  return { ...testContext({ urn: name, name, signal, status: say, info: say, warn: say }), said };
}

/** Reads a resource as `pulumi refresh` does. */
export async function refreshed(
  kind: "Image" | "Network" | "Machine",
  { id, outputs }: Made,
  inputs: Values,
): Promise<Recorded<Values, Values> | undefined> {
  return await handler(kind).read(context("read"), id, { inputs, outputs });
}

export async function docker(...args: string[]): Promise<string> {
  return await output("docker", args);
}

/** Ids of the containers, volumes and networks with the stack's label. */
export async function belongings(stack: string): Promise<string[]> {
  const filter = ["--quiet", "--filter", `label=io.kubewright.stack=${stack}`];
  const lists = await Promise.all([
    docker("ps", "--all", ...filter),
    docker("volume", "ls", ...filter),
    docker("network", "ls", ...filter),
  ]);
  return lists.join("\n").split("\n").filter(Boolean);
}

export interface Keys {
  /** Path of the private key. */
  path: string;
  publicKey: string;
  /** Logs in and runs a command. The host key must be the given one. */
  ssh(machine: Values, command: string, user?: string): Promise<string>;
  remove(): Promise<void>;
}

export async function makeKeys(): Promise<Keys> {
  const folder = await mkdtemp(join(tmpdir(), "kubewright-keys-"));
  const file = join(folder, "key");
  await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", file]);
  const ssh = async ({ address, port, hostKey }: Values, command: string, user = "root") => {
    const hosts = join(folder, `hosts-${String(address)}`);
    await writeFile(
      hosts,
      `[${String(address)}]:${String(port)} ${String(hostKey)}\n${String(address)} ${String(hostKey)}\n`,
    );
    const options = ["StrictHostKeyChecking=yes", `UserKnownHostsFile=${hosts}`, "BatchMode=yes", "ConnectTimeout=5"];
    return await output("ssh", [
      "-i",
      file,
      "-p",
      String(port),
      ...options.flatMap((option) => ["-o", option]),
      `${user}@${String(address)}`,
      command,
    ]);
  };
  return {
    path: file,
    publicKey: await readFile(`${file}.pub`, "utf8"),
    ssh,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
