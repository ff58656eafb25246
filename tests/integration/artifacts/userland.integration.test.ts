import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Cache } from "../../../artifacts/cache";
import { chooseCompression } from "../../../artifacts/compress";
import { obtainUserland, type UserlandName } from "../../../artifacts/userland";
import { silent } from "../../../common/progress";
import { output } from "../../../common/process";
import { controllerArch } from "../../../components/machines/machine";

/** The bases are created with apt, and chroot requires root. */
const missing =
  process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")
    ? ""
    : "running an image's programs requires root, on Debian";
const signal = AbortSignal.timeout(240_000);

let root: string;
const server = createServer((_request, answer) => void answer.end("answered"));
beforeEach(async ({ skip }) => {
  skip(missing !== "", missing);
  root = await mkdtemp(join(tmpdir(), "userland-"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(async () => {
  server.close();
  if (root) await rm(root, { recursive: true });
});

test.each<UserlandName>(["busybox", "tools"])(
  "wget of the image base %s accepts a timeout, as Kubernetes' tests pass it",
  async (name) => {
    const request = { name, arch: controllerArch(), compression: await chooseCompression() };
    const layer = await obtainUserland(new Cache(), request, silent, signal);
    await output("tar", ["-xf", layer.path, "-C", root]);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    expect(await output("chroot", [root, "wget", "-q", "-T", "5", "-O", "-", url])).toBe("answered");
  },
  300_000,
);
