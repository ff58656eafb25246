import { z } from "zod";
import { commandError, lastLines, runCommand, tryCommand } from "../../common/process";
import { LABELS } from "./labels";

const portSchema = z.object({ HostIp: z.string(), HostPort: z.string() });
const inspectSchema = z.object({
  Id: z.string(),
  Name: z.string(),
  RestartCount: z.number(),
  State: z.object({ Running: z.boolean(), Status: z.string(), ExitCode: z.number() }),
  Config: z.object({ Image: z.string(), Hostname: z.string(), Labels: z.record(z.string(), z.string()).nullish() }),
  HostConfig: z.object({ NanoCpus: z.number(), Memory: z.number() }),
  NetworkSettings: z.object({
    Ports: z.record(z.string(), z.array(portSchema).nullable()).nullish(),
    Networks: z.record(
      z.string(),
      z.object({ IPAddress: z.string(), IPAMConfig: z.object({ IPv4Address: z.string().optional() }).nullish() }),
    ),
  }),
});

export interface Container {
  id: string;
  name: string;
  running: boolean;
  /** Docker's status: `created`, `running`, `exited`. */
  status: string;
  exitCode: number;
  /** How often Docker restarted the container on its own. */
  restarts: number;
  image: string;
  hostname: string;
  /** The machine's fixed address, also while it is stopped. */
  address: string;
  /** 0 means no limit. */
  cpus: number;
  /** MiB. 0 means no limit. */
  memory: number;
  /** Published ports: `22/tcp` to a port of 127.0.0.1. */
  ports: ReadonlyMap<string, number>;
  stack: string;
  machine: string;
  specHash: string;
}

/** Returns the container, or undefined if there is none. @throws StepError when Docker does not answer */
export async function findContainer(nameOrId: string, signal: AbortSignal): Promise<Container | undefined> {
  const options = { step: `inspect container ${nameOrId}`, signal };
  const outcome = await tryCommand("docker", ["container", "inspect", "--format", "{{json .}}", nameOrId], options);
  if (outcome.code === 0) return parseContainer(outcome.stdout);
  if (/no such container|not found/i.test(outcome.stderr)) return undefined;
  throw commandError("docker", outcome, options);
}

/** Parses the output of `docker container inspect --format '{{json .}}'`. */
export function parseContainer(json: string): Container {
  const { Id, Name, RestartCount, State, Config, HostConfig, NetworkSettings } = inspectSchema.parse(JSON.parse(json));
  const [network] = Object.values(NetworkSettings.Networks);
  const published = Object.entries(NetworkSettings.Ports ?? {}).map(
    ([port, bound]) => [port, Number(bound?.[0]?.HostPort)] as const,
  );
  const labels = Config.Labels ?? {};
  return {
    id: Id,
    name: Name.replace(/^\//, ""),
    running: State.Running,
    status: State.Status,
    exitCode: State.ExitCode,
    restarts: RestartCount,
    image: Config.Image,
    hostname: Config.Hostname,
    address: network?.IPAMConfig?.IPv4Address ?? network?.IPAddress ?? "",
    cpus: HostConfig.NanoCpus / 1e9,
    memory: Math.round(HostConfig.Memory / 2 ** 20),
    ports: new Map(published.filter(([, port]) => port > 0)),
    stack: labels[LABELS.stack] ?? "",
    machine: labels[LABELS.machine] ?? "",
    specHash: labels[LABELS.specHash] ?? "",
  };
}

/** Copies files to a container, running or not. Paths start with `/`. The owner is root, the mode 0644. */
export async function copyFiles(
  id: string,
  files: ReadonlyMap<string, string>,
  step: string,
  signal: AbortSignal,
): Promise<void> {
  const { pack } = await import("tar-stream");
  const archive = pack();
  const chunks: Buffer[] = [];
  archive.on("data", (chunk) => chunks.push(chunk as Buffer));
  const finished = new Promise<void>((resolve, reject) => archive.on("end", resolve).on("error", reject));
  for (const [path, content] of files) archive.entry({ name: path.slice(1), mode: 0o644 }, content);
  archive.finalize();
  await finished;
  await runCommand("docker", ["cp", "-", `${id}:/`], { step, signal, input: Buffer.concat(chunks) });
}

/** Returns the end of the container's log and the names of its failed systemd units, for error messages. */
export async function readFailureLog(id: string, signal: AbortSignal): Promise<string> {
  const options = { step: "read the machine's log", signal, timeout: 10 };
  const logs = await tryCommand("docker", ["logs", "--tail", "8", id], options);
  const failed = await tryCommand("docker", ["exec", id, "systemctl", "--failed", "--plain", "--no-legend"], options);
  const text = `${logs.stdout}\n${logs.stderr}`.replace(/\u001b\[[0-9;]*m/g, "");
  const lines = failed.code === 0 ? failed.stdout.split("\n") : [];
  const units = lines.map((line) => line.split(" ")[0]).join(" ");
  return [lastLines(text, 4), units && `failed units: ${units}`].filter(Boolean).join("; ");
}
