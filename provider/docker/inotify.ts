import { attempt } from "./command";

const KEY = "fs.inotify.max_user_instances";
/** Measured: a machine by itself uses 4, as a worker 13 and as a control plane 27; this is a cluster's average. */
const PER_MACHINE = 18;

/**
 * A warning where the host's inotify instances are too few for its machines. The limit is one per user for the whole host
 * (machines share it, being root all of them), so it is the person's to raise: nothing here changes it.
 */
export async function scarceInotify(id: string, signal: AbortSignal): Promise<string | undefined> {
  const step = `reading ${KEY}`;
  const limit = await attempt("docker", ["exec", id, "cat", "/proc/sys/fs/inotify/max_user_instances"], {
    step,
    signal,
    timeout: 10,
  });
  const running = await attempt("docker", ["ps", "--quiet", "--filter", "label=io.kubewright.machine"], {
    step,
    signal,
    timeout: 10,
  });
  if (limit.code !== 0 || running.code !== 0) return undefined;
  return shortageOf(Number(limit.stdout), running.stdout.split("\n").filter(Boolean).length);
}

/** Pure. */
export function shortageOf(limit: number, machines: number): string | undefined {
  if (!(limit < machines * PER_MACHINE)) return undefined;
  return `the host allows ${limit} inotify instances, too few for ${machines} machines (about ${PER_MACHINE} each): "too many open files" may follow; raise it with \`sysctl -w ${KEY}=1024\``;
}
