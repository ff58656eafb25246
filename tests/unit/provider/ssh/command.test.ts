import { expect, test } from "vitest";
import { systemClock } from "../../../../common/clock";
import { DEFAULT_SETTINGS } from "../../../../provider/settings/settings";
import { noTrace } from "../../../../provider/settings/trace";
import { runCommand } from "../../../../provider/ssh/command";
import { dial } from "../../../../provider/ssh/dial";
import { LostConnectionError } from "../../../../provider/ssh/errors";
import { openForward } from "../../../../provider/ssh/forward";
import { answer, InMemorySsh } from "../../../support/in-memory-ssh";

const { signal } = new AbortController();
const step = "a test";

/** A connection whose peer has sent FIN, before ssh2 reports the end: ssh2 throws "Not connected" now. */
async function halfClosed(server: InMemorySsh) {
  const runtime = { settings: DEFAULT_SETTINGS, clock: systemClock, trace: noTrace };
  const dialed = await dial(server.connection(), runtime, signal, server.connect());
  server.streams[0]?.push(null);
  return dialed;
}

test("between FIN and close, a command fails with an error that names the machine and can be retried", async () => {
  const server = new InMemorySsh();
  const { client } = await halfClosed(server);
  const error: unknown = await runCommand(client, server.connection(), "x", { step, signal }).catch(
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LostConnectionError);
  expect(error).toMatchObject({ kind: "transient", failure: { machine: "worker-1 (10.0.0.11)" } });
  expect((error as Error).message).toContain("the connection was lost: Not connected");
});

test("between FIN and close, a stream fails with an error that names the machine and can be retried", async () => {
  const server = new InMemorySsh();
  const dialed = await halfClosed(server);
  const opening = openForward(dialed, server.connection(), { host: "127.0.0.1", port: 6443 }, signal);
  await expect(opening).rejects.toMatchObject({ kind: "transient", failure: { machine: "worker-1 (10.0.0.11)" } });
});

test("a command that finds its connection between FIN and close runs over a new one", async () => {
  const server = new InMemorySsh({ run: (channel) => answer(channel, "done") });
  const pool = server.pool();
  const machine = pool.get(server.connection());
  await machine.run("x", { step, signal });
  server.streams[0]?.push(null);
  expect((await machine.run("x", { step, signal })).stdout).toBe("done");
  pool.closeAll();
  expect(server.connections).toBe(2);
});
