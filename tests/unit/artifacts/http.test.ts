import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { downloadTo } from "../../../artifacts/download";
import { planDownloads } from "../../../artifacts/official";
import { loadVersions } from "../../../artifacts/versions";
import { Mirror } from "./mirror";

afterEach(() => vi.unstubAllEnvs());

// The proxy is read once, at the first download, so this test has a file of its own.
test("downloads use the proxy from the environment", async () => {
  const [kubelet] = planDownloads(loadVersions(), "1.36.3", "amd64");
  if (!kubelet) throw new Error("nothing planned");
  const mirror = await Mirror.start([kubelet]);
  const asked: string[] = [];
  const proxy = createServer().on("connect", (request, socket) => {
    asked.push(request.url ?? "");
    const onward = connect(Number(new URL(mirror.url).port), "127.0.0.1", () =>
      socket.write("HTTP/1.1 200 OK\r\n\r\n"),
    );
    socket.pipe(onward).pipe(socket);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  vi.stubEnv("http_proxy", `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`);
  vi.stubEnv("no_proxy", "");
  vi.stubEnv("NO_PROXY", "");
  const folder = await mkdtemp(join(tmpdir(), "proxy-test-"));
  // A name that only the proxy can resolve.
  const url = `http://mirror.invalid/dl.k8s.io${new URL(kubelet.url).pathname}`;
  await downloadTo(url, join(folder, "kubelet"), { signal: AbortSignal.timeout(20_000), action: "" });
  expect(asked).toEqual(["mirror.invalid:80"]);
  expect(await readFile(join(folder, "kubelet"), "utf8")).toBe("program kubelet");
  proxy.closeAllConnections();
  proxy.close();
  await mirror.stop();
  await rm(folder, { recursive: true });
});
