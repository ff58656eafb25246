import { execFile, spawnSync } from "node:child_process";
import { createServer, type AddressInfo, type Server } from "node:net";
import { promisify } from "node:util";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { HTTP_REQUEST } from "../../../render/http-request";
import { requirement, type Requirement } from "../../support/requirement";

describe("a request with socat", () => {
  let socat: Requirement;
  let server: Server;
  beforeAll(async () => {
    socat = await requirement("socat", () => spawnSync("socat", ["-V"]).status === 0, ["socat"]);
  }, 300_000);
  beforeEach((context) => {
    if (!socat.met) context.skip(socat.reason);
  });
  beforeEach(async () => {
    // As a server written in Go does: a client that closes its half has gone, and its request is canceled.
    server = createServer({ allowHalfOpen: true }, (socket) => {
      const answer = (status: string) => socket.end(`HTTP/1.0 ${status}\r\n\r\nok`);
      const timer = setTimeout(() => answer("200 OK"), 300);
      socket.on("end", () => (clearTimeout(timer), answer("503 Service Unavailable")));
      socket.on("error", () => clearTimeout(timer)).resume();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterEach(() => new Promise((resolve) => server.close(resolve)));

  test("gets the answer of a server that cancels the requests of clients that close their half", async () => {
    const { port } = server.address() as AddressInfo;
    const script = `${HTTP_REQUEST}\nrequest TCP:127.0.0.1:${port} /readyz`;
    const { stdout } = await promisify(execFile)("sh", ["-c", script]);
    expect(stdout.trim()).toBe("HTTP/1.0 200 OK");
  });
});
