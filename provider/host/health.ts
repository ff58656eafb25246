import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Health } from "../../contracts/health";
import { StepError, messageOf } from "../../common/errors";
import { until } from "../../common/wait";
import { TunnelHttpAgent, TunnelHttpsAgent } from "../ssh/tunnel";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

const ASK_MS = 5_000;

/**
 * Waits until it answers 200, asked on the machine itself through its SSH connection.
 * @throws StepError with what it said last, and where to look.
 */
export async function untilHealthy(
  { signal, status }: Context,
  machine: Remote,
  what: string,
  health: Health,
  look: string,
): Promise<void> {
  status(`waiting for ${what} to become healthy`);
  let last = "nothing answers";
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
          step: `starting ${what}`,
          machine: machine.label,
          cause: `${last} (port ${health.port}, ${health.path})`,
          action: `see ${look} on the machine`,
        }),
    },
  );
}

/**
 * Returns `healthy`, or the response. The certificate is not verified: the machine is known by its SSH host key, and
 * only its own processes listen on its loopback interface.
 */
export function probeHealth(machine: Remote, { scheme, port, path }: Health): Promise<string> {
  const request = scheme === "HTTPS" ? httpsRequest : httpRequest;
  const agent = scheme === "HTTPS" ? new TunnelHttpsAgent(machine) : new TunnelHttpAgent(machine);
  return new Promise((done) => {
    const asked = request(
      // A signal and not `timeout`, which needs a socket: the stream is a channel of the SSH connection.
      { host: "127.0.0.1", port, path, agent, signal: AbortSignal.timeout(ASK_MS), rejectUnauthorized: false },
      (response) => {
        let body = "";
        response.setEncoding("utf8").on("data", (more: string) => (body += more));
        response.on("end", () =>
          done(response.statusCode === 200 ? "healthy" : `HTTP ${response.statusCode}: ${failing(body)}`),
        );
        response.on("error", (error) => done(messageOf(error)));
      },
    );
    asked.on("error", (error) => done(error.name === "AbortError" ? "no answer" : messageOf(error)));
    asked.end();
  });
}

/** Of /readyz' list the lines that say why. */
function failing(body: string): string {
  const lines = body.split("\n").filter((line) => line.startsWith("[-]"));
  return (lines.length > 0 ? lines.join("; ") : body.trim()).slice(0, 300);
}
