import { existsSync, readFileSync } from "node:fs";
import { release, totalmem, cpus } from "node:os";
import { join } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { parse } from "yaml";
import { timeoutSignal } from "../../common/timer";
import { messageOf } from "../../common/errors";
import { projectRoot } from "../../common/project-root";
import { isObject } from "../../provider/rpc/values";
import { clusterApi } from "../engine/cluster-api";
import { readLastRun } from "../engine/last-run";
import { machineRemotes } from "../engine/machines";
import { stackConfigFile } from "../engine/paths";
import { replaceMarkedSecrets } from "../engine/secrets";
import type { Session } from "../engine/session";
import { resourcesOf, type StateResource } from "../engine/state";
import { isRunUnfinished } from "../engine/unfinished-run";
import { readStatus } from "../nodes/read-status";
import { SupportFiles } from "./archive";
import { readEvents } from "./cluster-events";
import { redactorFor } from "./known-secrets";
import { readNode } from "./node-facts";
import { REMOVED } from "./redactor";

/** Milliseconds until a cluster that does not answer is given up. */
const LIMIT_MS = 60_000;

/** Collects the files of the archive. What cannot be read is listed in `not-read.txt`, and does not stop the rest. */
export async function collectSupport(stack: Stack, session: Session): Promise<ReadonlyMap<string, string>> {
  const resources = await resourcesOf(stack);
  const config = await stack.getAllConfig();
  const redactor = redactorFor({ stack: stack.name, resources, config, env: process.env });
  const support = new SupportFiles(redactor);
  const missing: string[] = [];
  const attempt = async (what: string, work: () => Promise<void>) => {
    await work().catch((error: unknown) => {
      session.signal.throwIfAborted();
      missing.push(`${what}: ${messageOf(error)}`);
    });
  };
  addLocalFiles(support, stack, resources);
  session.progress("reading the cluster and the logs of its nodes");
  await Promise.all([
    attempt("versions.json", async () => support.json("versions.json", await versionsOf(stack))),
    ...clusterTasks(stack, session, support).map(([what, work]) => attempt(what, work)),
    ...(await machineRemotes(stack, session)).map((machine) =>
      attempt(machine.label, async () => {
        const { name, facts, logs } = await readNode(machine, session.signal);
        support.text(`nodes/${name}/facts.txt`, facts);
        support.text(`nodes/${name}/logs.txt`, logs);
      }),
    ),
  ]);
  support.text("not-read.txt", missing.length === 0 ? "everything was read\n" : `${missing.sort().join("\n")}\n`);
  support.text("README.txt", README);
  return support.files;
}

const README = `Files for a bug report. Secrets were replaced by ${REMOVED}. Names and addresses of machines are in the
files, and so is what programs wrote to their logs: read the files before you send them.

versions.json      versions of Kubewright and of what it runs with
config.yaml        configuration of the stack
state.json         resources with their inputs
last-run.json      what the last run did, and when
status.json        output of the command status
events.txt         events of the cluster
nodes/*/facts.txt  operating system, disks, addresses, units and containers of a node
nodes/*/logs.txt   logs of the kubelet, the container runtime and the static pods of the last hour
not-read.txt       what could not be read, and why
`;

/** Files from this computer, which need no machine. */
function addLocalFiles(support: SupportFiles, stack: Stack, resources: readonly StateResource[]): void {
  const file = stackConfigFile(stack.name);
  const config: unknown = existsSync(file) ? parse(readFileSync(file, "utf8")) : {};
  support.yaml("config.yaml", withoutEncrypted(config));
  support.json(
    "state.json",
    resources.map(({ urn, type, inputs }) => ({ urn, type, inputs: replaceMarkedSecrets(inputs, REMOVED) })),
  );
  support.json("last-run.json", {
    unfinished: isRunUnfinished(stack.name),
    run: readLastRun(stack.name) ?? "no run is recorded on this computer",
  });
}

/** Removes what Pulumi has encrypted: with the passphrase it could be decrypted. */
function withoutEncrypted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEncrypted);
  if (!isObject(value)) return value;
  if ("secure" in value) return REMOVED;
  return Object.fromEntries(
    Object.entries(value).map(([name, inner]) => [
      name,
      name === "encryptionsalt" || name === "encryptedkey" ? REMOVED : withoutEncrypted(inner),
    ]),
  );
}

function clusterTasks(
  stack: Stack,
  session: Session,
  support: SupportFiles,
): (readonly [what: string, work: () => Promise<void>])[] {
  const limited = { ...session, signal: timeoutSignal(LIMIT_MS, session.signal) };
  return [
    ["status.json", async () => support.json("status.json", await readStatus(stack, limited))],
    [
      "events.txt",
      async () => support.text("events.txt", await readEvents(await clusterApi(stack, limited), limited.signal)),
    ],
  ];
}

async function versionsOf(stack: Stack): Promise<object> {
  const { version } = JSON.parse(readFileSync(join(projectRoot(), "package.json"), "utf8")) as { version: string };
  return {
    kubewright: version,
    node: process.version,
    pulumi: stack.workspace.pulumiVersion,
    platform: `${process.platform} ${process.arch}`,
    kernel: release(),
    cpus: cpus().length,
    memoryMiB: Math.round(totalmem() / 2 ** 20),
    time: new Date().toISOString(),
  };
}
