import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Health } from "../../contracts/health";
import { StepError, messageOf } from "../../common/errors";
import { until } from "../../common/wait";
import { TunnelHttpAgent, TunnelHttpsAgent } from "../ssh/tunnel";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

/** Milliseconds for one request. */
const REQUEST_MS = 5_000;

/**
 * Waits until the endpoint returns 200. The request goes through the machine's SSH connection to its loopback
 * interface.
 * @param logs where the user finds the service's log
 * @throws StepError with the last response
 */
export async function waitUntilHealthy(
  { signal, status }: Context,
  machine: Remote,
  service: string,
  health: Health,
  logs: string,
): Promise<void> {
  status(`waiting for ${service} to become healthy`);
  let last = "no response";
  await until(
    async () => {
      const answer = await probeHealth(machine, health);
      if (answer === "healthy") return true;
      last = answer;
      return undefined;
    },
    {
      signal,
      timeout: health.timeout,
      patience: machine.patience,
      every: 200,
      onTimeout: () =>
        new StepError({
          step: `starting ${service}`,
          machine: machine.label,
          cause: `${last} (port ${health.port}, ${health.path})`,
          action: `see ${logs} on the machine`,
        }),
    },
  );
}

/**
 * Returns `healthy`, or the response. The certificate is not verified: the machine is known by its SSH host key, and
 * only
 * its own processes listen on its loopback interface.
 */
export function probeHealth(machine: Remote, { scheme, port, path }: Health): Promise<string> {
  const request = scheme === "HTTPS" ? httpsRequest : httpRequest;
  const agent = scheme === "HTTPS" ? new TunnelHttpsAgent(machine) : new TunnelHttpAgent(machine);
  return new Promise((done) => {
    const asked = request(
      { host: "127.0.0.1", port, path, agent, timeout: REQUEST_MS, rejectUnauthorized: false },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (more: string) => (body += more));
        response.on("end", () =>
          done(response.statusCode === 200 ? "healthy" : `HTTP ${response.statusCode}: ${failureIn(body)}`),
        );
        response.on("error", (error) => done(messageOf(error)));
      },
    );
    asked.on("timeout", () => asked.destroy(new Error("no answer")));
    asked.on("error", (error) => done(messageOf(error)));
    asked.end();
  });
}

/** Returns the failed checks in the response of /readyz, or the start of any other response. */
function failureIn(body: string): string {
  const lines = body.split("\n").filter((line) => line.startsWith("[-]"));
  return (lines.length > 0 ? lines.join("; ") : body.trim()).slice(0, 300);
}
