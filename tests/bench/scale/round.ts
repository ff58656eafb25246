import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LocalWorkspace, type EngineEvent, type Stack, type UpOptions } from "@pulumi/pulumi/automation";
import { Files, Host, Unit } from "../../../sdk/host";
import { Roster } from "../../../sdk/kubernetes";
import type { Connection } from "../../../contracts/connection";
import { Hosts } from "./hosts";
import { ProviderProcess } from "./provider";

const LATENCY_MS = 5;
const PROJECT = "scale";
export const RESOURCES_PER_MACHINE = 3;

export interface ScaleResult {
  machines: number;
  /** Hosts that refused the key in the first run. */
  failing: number;
  /** Resources that the first run created, of those that it could create. */
  made: number;
  possible: number;
  /** Seconds. */
  first: number;
  second: number;
  refresh: number;
  /** Seconds for as many resources that do nothing: the engine's own share of `first`. */
  engineAlone: number;
  providerProcessor: number;
  providerMiB: number;
  connectionsPerMachine: number;
  mostOpen: number;
  mostOpenOfOne: number;
  roundTrips: { create: number; refresh: number };
  stateKiB: number;
  /** Changes that a preview with refresh still finds at the end. */
  left: number;
}

/** Runs one size: `up` while 1 % of the machines refuse the key, `up` again when they accept it, and a refresh. */
export async function scaleRound(
  machines: number,
  env: NodeJS.ProcessEnv,
  say: (text: string) => void,
): Promise<ScaleResult> {
  const failing = Array.from(
    { length: Math.max(1, Math.round(machines / 100)) },
    (_, index) => (index * 97 + 3) % machines,
  );
  const hosts = await Hosts.start({ hosts: machines, latencyMs: LATENCY_MS, failing });
  const folder = mkdtempSync(join(tmpdir(), "kubewright-scale-"));
  const used: Used = { processor: 0, mostMiB: 0 };
  const run = <T>(name: string, make: () => void, work: (stack: Stack) => Promise<T>) =>
    withProvider(used, async (port) => {
      const stack = await open(join(folder, name), make, { ...env, PULUMI_DEBUG_PROVIDERS: `kubewright:${port}` });
      return { stack, ...(await timed(() => work(stack))) };
    });
  const onFleet = <T>(work: (stack: Stack) => Promise<T>) => run("fleet", () => fleet(hosts.connections), work);
  try {
    const first = await onFleet((stack) => up(stack, { continueOnError: true }).catch(() => 0));
    say(`${machines} machines: first up ${first.seconds.toFixed(1)} s, ${failing.length} refused us`);
    const made = await count(first.stack);
    await hosts.ask("heal");
    const second = await onFleet(up);
    say(`${machines} machines: second up ${second.seconds.toFixed(1)} s`);
    const before = (await hosts.ask("count")).seen;
    const refresh = await onFleet(changes);
    const { seen } = await hosts.ask("count");
    say(`${machines} machines: preview with refresh ${refresh.seconds.toFixed(1)} s`);
    const engineAlone = await run("idle", () => nothing(machines), up);
    const mean = (list: readonly number[] = []) => list.reduce((sum, one) => sum + one, 0) / machines;
    return {
      machines,
      failing: failing.length,
      made,
      possible: (machines - failing.length) * RESOURCES_PER_MACHINE,
      first: first.seconds,
      second: second.seconds,
      refresh: refresh.seconds,
      engineAlone: engineAlone.seconds,
      providerProcessor: used.processor,
      providerMiB: used.mostMiB,
      connectionsPerMachine: mean(seen?.connections),
      mostOpen: seen?.mostOpen ?? NaN,
      mostOpenOfOne: seen?.mostOpenOfOne ?? NaN,
      roundTrips: { create: mean(before?.commands), refresh: mean(seen?.commands) - mean(before?.commands) },
      stateKiB: Math.round(statSync(join(folder, "fleet", ".pulumi", "stacks", PROJECT, "scale.json")).size / 1024),
      left: refresh.value,
    };
  } finally {
    hosts.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Of all runs. */
interface Used {
  /** Seconds. */
  processor: number;
  mostMiB: number;
}

/** One per run, as the engine starts it. */
async function withProvider<T>(used: Used, work: (port: string) => Promise<T>): Promise<T> {
  const provider = await ProviderProcess.start();
  try {
    return await work(provider.port);
  } finally {
    used.processor += provider.processorSeconds;
    used.mostMiB = Math.max(used.mostMiB, provider.mostMemoryMiB);
    provider.stop();
  }
}

async function open(folder: string, make: () => void, env: NodeJS.ProcessEnv): Promise<Stack> {
  const envVars: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (value !== undefined) envVars[name] = value;
  mkdirSync(folder, { recursive: true });
  const settings = { name: PROJECT, runtime: "nodejs" as const, backend: { url: `file://${folder}` } };
  return await LocalWorkspace.createOrSelectStack(
    { stackName: "scale", projectName: PROJECT, program: async () => make() },
    {
      projectSettings: settings,
      envVars: { ...envVars, PULUMI_BACKEND_URL: `file://${folder}`, PULUMI_CONFIG_PASSPHRASE: "scale" },
    },
  );
}

/** A node in small: its facts, some files and a unit. */
function fleet(connections: readonly Connection[]): void {
  for (const connection of connections) {
    const name = connection.name ?? "";
    const host = new Host(`${name}-host`, { connection });
    const onHost = { connection, instance: host.instance };
    const file = (text: string) => ({ content: `${text} of ${name}\n`.repeat(20), mode: "0644" });
    const files = new Files(`${name}-files`, {
      ...onHost,
      files: { "/etc/demo/a.conf": file("a"), "/etc/demo/b.conf": file("b") },
    });
    new Unit(
      `${name}-unit`,
      {
        ...onHost,
        unit: "demo.service",
        files: { "/etc/systemd/system/demo.service": file("unit") },
        enabled: true,
        running: true,
      },
      { dependsOn: [files] },
    );
  }
}

/** As many resources in the same order, which do nothing. */
function nothing(machines: number): void {
  for (let index = 0; index < machines; index++) {
    const one = new Roster(`${index}-host`, { members: ["a"], run: "1" });
    const two = new Roster(`${index}-files`, { members: ["a"], run: "1" }, { dependsOn: [one] });
    new Roster(`${index}-unit`, { members: ["a"], run: "1" }, { dependsOn: [two] });
  }
}

async function up(stack: Stack, options: UpOptions = {}): Promise<number> {
  const { summary } = await stack.up({ ...options, suppressOutputs: true, color: "never" });
  return summary.resourceChanges?.create ?? 0;
}

async function count(stack: Stack): Promise<number> {
  const { resources = [] } = (await stack.exportStack()).deployment as { resources?: { type: string }[] };
  return resources.filter(({ type }) => type.startsWith("kubewright:")).length;
}

async function changes(stack: Stack): Promise<number> {
  let found = 0;
  const onEvent = ({ resourcePreEvent }: EngineEvent) => {
    const { op, type = "" } = resourcePreEvent?.metadata ?? {};
    if (op && !["same", "refresh", "read"].includes(op) && !type.startsWith("pulumi:")) found++;
  };
  await stack.preview({ refresh: true, onEvent, suppressOutputs: true, color: "never" });
  return found;
}

async function timed<T>(work: () => Promise<T>): Promise<{ seconds: number; value: T }> {
  const start = Date.now();
  const value = await work();
  return { seconds: (Date.now() - start) / 1000, value };
}
