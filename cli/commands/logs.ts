import type { Stack } from "@pulumi/pulumi/automation";
import { messageOf, StepError } from "../../common/errors";
import type { Connection } from "../../contracts/connection";
import { machineName } from "../../provider/ssh/connection";
import { missingCluster, requireStack } from "../engine/cluster-api";
import { withSession, type Session } from "../engine/session";
import { machineConnection, machineConnections } from "../engine/state";
import { prepareEngine } from "../engine/workspace";
import { LOG_SOURCES, logScript, parseDuration, type LogRequest } from "../nodes/log-script";
import { lineWriter } from "../terminal/line-writer";
import type { Options } from "../terminal/options";

const DEFAULT_SINCE = "10m";
const FOLLOW_SECONDS = 7 * 86_400;

/** `kubewright logs worker-1 --follow`: prints the logs of one node, or of all. It changes nothing. */
export async function run(options: Options): Promise<number> {
  const request = requestOf(options);
  const print = async (session: Session) => {
    await prepareEngine(session.progress, session.signal);
    const stack = await requireStack(options.stack);
    const machines = await chosenMachines(stack, options.words[0]);
    session.screen.close();
    const results = await Promise.all(machines.map((machine) => printLogs(machine, request, session)));
    return results.every(Boolean) ? 0 : 1;
  };
  return await withSession(options.stack, print, 1, { isReadOnly: true });
}

function requestOf({ values, flags }: Options): LogRequest {
  const since = parseDuration(values.since ?? DEFAULT_SINCE);
  if (since === undefined)
    throw new StepError({
      step: "reading --since",
      cause: `"${values.since}" is not a duration`,
      action: "write for example --since 30s, 10m, 2h or 1d",
    });
  const chosen = LOG_SOURCES.filter((source) => values.source === undefined || values.source === source);
  return { sources: chosen, since, follow: flags.has("follow") };
}

async function chosenMachines(stack: Stack, name: string | undefined): Promise<Connection[]> {
  const machines = name === undefined ? await machineConnections(stack) : [await machineConnection(stack, name)];
  if (machines.length === 0) throw missingCluster(stack.name);
  return machines;
}

/** Returns whether the machine's logs were read. Other machines continue if one cannot be reached. */
async function printLogs(connection: Connection, request: LogRequest, session: Session): Promise<boolean> {
  const { provider, signal } = session;
  const machine = provider.connections.get(connection);
  const stdout = () => lineWriter((line) => process.stdout.write(line));
  const timeout = request.follow ? FOLLOW_SECONDS : undefined;
  try {
    const script = logScript(machineName(connection), request);
    await machine.run(script, { step: "reading the logs", signal, stdout, ...(timeout ? { timeout } : {}) });
    return true;
  } catch (error) {
    signal.throwIfAborted();
    process.stderr.write(`${messageOf(error)}\n`);
    return false;
  }
}
