import { setTimeout as sleep } from "node:timers/promises";
import type { Stack } from "@pulumi/pulumi/automation";
import { messageOf } from "../../common/errors";
import { requireStack } from "../engine/cluster-api";
import { withSession, type Session } from "../engine/session";
import { prepareEngine } from "../engine/workspace";
import { readStatus } from "../nodes/read-status";
import { statusText } from "../nodes/status-text";
import { readDrift } from "../preview/drift";
import type { Options } from "../terminal/options";
import { NOT_CHECKED } from "./table";

const UNHEALTHY = 1;
const WATCH_MS = 5_000;
/** Clears the terminal, and moves to its first line. */
const CLEAR = "\x1b[2J\x1b[H";

/** `npm run status`: shows the health of the cluster. It changes nothing, so it needs no lock. */
export async function run(options: Options): Promise<number> {
  const work = async (session: Session) => {
    await prepareEngine(session.progress, session.signal);
    return await (options.flags.has("watch") ? watch(options, session) : status(options, session));
  };
  return await withSession(options.stack, work, NOT_CHECKED, { isReadOnly: true });
}

/** Prints the status again and again, until Ctrl-C. An error of one time does not end it. */
async function watch(options: Options, session: Session): Promise<number> {
  for (;;) {
    const code = await status(options, session).catch((error: unknown) => {
      session.signal.throwIfAborted();
      process.stdout.write(`${messageOf(error)}\n`);
      return NOT_CHECKED;
    });
    await sleep(WATCH_MS, undefined, { signal: session.signal }).catch(() => undefined);
    if (session.signal.aborted) return code;
    process.stdout.write(process.stdout.isTTY && !options.flags.has("json") ? CLEAR : "\n");
  }
}

async function status(options: Options, session: Session): Promise<number> {
  const stack = await requireStack(options.stack);
  const cluster = await readStatus(stack, session);
  const drift = options.flags.has("drift") ? await driftedResources(stack, session) : undefined;
  session.screen.close();
  const healthy = cluster.healthy && (drift ?? []).length === 0;
  const all = { ...cluster, healthy, ...(drift ? { drift } : {}) };
  const certificates = options.flags.has("certificates");
  process.stdout.write(
    options.flags.has("json") ? `${JSON.stringify(all, null, 2)}\n` : statusText(all, { certificates }),
  );
  return healthy ? 0 : UNHEALTHY;
}

async function driftedResources(stack: Stack, session: Session): Promise<string[]> {
  return (await readDrift(stack, session)).drift.map(({ resource }) => resource);
}
