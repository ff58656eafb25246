import { createServer, type RequestListener } from "node:http";
import { duplexPair } from "node:stream";
import { describe, expect, test } from "vitest";
import { probeHealth } from "../../../../provider/host/health";
import type { Remote } from "../../../../provider/ssh/remote";

/** A machine whose forwarded streams end at a server, and are no sockets: like channels of an SSH connection. */
function machineWith(listener: RequestListener): Remote {
  const server = createServer(listener);
  const forward = async () => {
    const [ours, theirs] = duplexPair();
    server.emit("connection", theirs);
    return ours;
  };
  return { forward, patience: 1 } as unknown as Remote;
}

const kubelet = { scheme: "HTTP", port: 10248, path: "/healthz", timeout: 60 } as const;

describe("probeHealth", () => {
  test("returns healthy for a 200", async () => {
    expect(
      await probeHealth(
        machineWith((_request, response) => response.end("ok")),
        kubelet,
      ),
    ).toBe("healthy");
  });

  test("returns the failed checks of any other status", async () => {
    const machine = machineWith((_request, response) => response.writeHead(500).end("[+]ping ok\n[-]etcd failed\n"));
    expect(await probeHealth(machine, kubelet)).toBe("HTTP 500: [-]etcd failed");
  });

  test("returns the error if the stream cannot be opened", async () => {
    const machine = {
      forward: async () => Promise.reject(new Error("connection refused")),
      patience: 1,
    } as unknown as Remote;
    expect(await probeHealth(machine, kubelet)).toBe("connection refused");
  });
});
