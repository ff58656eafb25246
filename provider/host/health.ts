import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import { timeoutSignal } from "../../common/timer";
import type { Health } from "../../contracts/health";
import { messageOf } from "../../common/errors";
import { TunnelHttpAgent, TunnelHttpsAgent } from "../ssh/tunnel";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { proveHealthy } from "./prove-healthy";

const REQUEST_MS = 5_000;
const LOOPBACK = "127.0.0.1";

/** A health endpoint as the machine reaches it. */
export type Endpoint = Pick<Health, "scheme" | "port" | "path"> & {
  /** @default the loopback interface */
  host?: string | undefined;
};

/**
 * Waits until a health endpoint returns 200. The requests go through the SSH connection, to the machine's loopback
 * interface.
 * @param logs where the cause can be read, for the error
 * @throws StepError with the last response
 */
export async function waitUntilHealthy(
  context: Context,
  machine: Remote,
  name: string,
  health: Health,
  logs: string,
): Promise<void> {
  await proveHealthy(context, machine, {
    name,
    timeout: health.timeout,
    check: async () => {
      const answer = await probeHealth(machine, health);
      return answer === "healthy" ? answer : { waiting: `${answer} (port ${health.port}, ${health.path})` };
    },
    action: `see ${logs} on the machine`,
  });
}

/**
 * Returns `healthy`, or the response. The certificate is not verified: the machine is known by its SSH host key, and
 * only its own processes listen on its loopback interface.
 */
export function probeHealth(machine: Remote, { scheme, host = LOOPBACK, port, path }: Endpoint): Promise<string> {
  const request = scheme === "HTTPS" ? httpsRequest : httpRequest;
  const agent = scheme === "HTTPS" ? new TunnelHttpsAgent(machine) : new TunnelHttpAgent(machine);
  return new Promise((resolve) => {
    const outgoing = request(
      // A signal and not `timeout`, which needs a socket: the stream is a channel of the SSH connection.
      { host, port, path, agent, signal: timeoutSignal(REQUEST_MS), rejectUnauthorized: false },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (more: string) => (body += more));
        response.on("end", () =>
          resolve(response.statusCode === 200 ? "healthy" : `HTTP ${response.statusCode}: ${failureIn(body)}`),
        );
        response.on("error", (error) => resolve(messageOf(error)));
      },
    );
    outgoing.on("error", (error) => resolve(error.name === "AbortError" ? "no answer" : messageOf(error)));
    outgoing.end();
  });
}

/** Returns the failed checks of /readyz, the message of a Status object, or the beginning of another response. */
function failureIn(body: string): string {
  const lines = body.split("\n").filter((line) => line.startsWith("[-]"));
  const message = /"message":"((?:[^"\\]|\\.)*)"/.exec(body)?.[1]?.replaceAll('\\"', '"');
  return (lines.length > 0 ? lines.join("; ") : (message ?? body.trim())).slice(0, 300);
}
