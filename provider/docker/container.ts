import { z } from "zod";
import { attempt, failure, lastWords, run } from "./command";
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
  /** Docker's word: created, running, exited ... */
  status: string;
  exitCode: number;
  /** How often Docker started it again by itself. */
  restarts: number;
  image: string;
  hostname: string;
  /** The machine's fixed address; known while it is stopped, too. */
  address: string;
  /** 0: no limit. */
  cpus: number;
  /** MiB; 0: no limit. */
  memory: number;
  /** `22/tcp` to a port of 127.0.0.1, for ports that are published. */
  ports: ReadonlyMap<string, number>;
  stack: string;
  machine: string;
  made: string;
}

/** @returns undefined where there is none. @throws StepError where Docker does not answer. */
export async function findContainer(nameOrId: string, signal: AbortSignal): Promise<Container | undefined> {
  const options = { step: `looking at machine ${nameOrId}`, signal };
  const outcome = await attempt("docker", ["container", "inspect", "--format", "{{json .}}", nameOrId], options);
  if (outcome.code === 0) return containerOf(outcome.stdout);
  if (/no such container|not found/i.test(outcome.stderr)) return undefined;
  throw failure("docker", outcome, options);
}

function containerOf(json: string): Container {
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
    made: labels[LABELS.made] ?? "",
  };
}

/** Puts files into a container, running or not. Paths start with `/`; owner is root, mode 0644. */
export async function putFiles(
  id: string,
  files: ReadonlyMap<string, string>,
  step: string,
  signal: AbortSignal,
): Promise<void> {
  const { pack } = await import("tar-stream");
  const archive = pack();
  const chunks: Buffer[] = [];
  archive.on("data", (chunk) => chunks.push(chunk as Buffer));
  const done = new Promise<void>((resolve, reject) => archive.on("end", resolve).on("error", reject));
  for (const [path, content] of files) archive.entry({ name: path.slice(1), mode: 0o644 }, content);
  archive.finalize();
  await done;
  await run("docker", ["cp", "-", `${id}:/`], { step, signal, input: Buffer.concat(chunks) });
}

/** The end of what the container said, and of what systemd could not start in it; for error messages. */
export async function lastLog(id: string, signal: AbortSignal): Promise<string> {
  const step = "reading the machine's log";
  const logs = await attempt("docker", ["logs", "--tail", "8", id], { step, signal, timeout: 10 });
  const failed = await attempt("docker", ["exec", id, "systemctl", "--failed", "--plain", "--no-legend"], {
    step,
    signal,
    timeout: 10,
  });
  const plain = `${logs.stdout}\n${logs.stderr}`.replace(/\u001b\[[0-9;]*m/g, "");
  const units =
    failed.code === 0
      ? failed.stdout
          .split("\n")
          .map((line) => line.split(" ")[0])
          .join(" ")
      : "";
  return [lastWords(plain, 4), units && `failed units: ${units}`].filter(Boolean).join("; ");
}
