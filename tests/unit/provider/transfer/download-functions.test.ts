import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { run } from "../../../../common/process";
import { quote } from "../../../../common/quote";
import { downloadFunctions, probeScript } from "../../../../provider/transfer/probe";

let folder: string;
let server: Server;
let asked: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "kubewright-download-"));
  asked = [];
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end("content");
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  await rm(folder, { recursive: true });
});
const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const OFFICIAL = ["https://dl.k8s.io/kubelet"];
const MIRROR = ["http://mirror.example.com/kubelet"];

/** Runs a script with the functions, and with /etc/environment replaced. */
async function sh(urls: string[], command: string, etcEnvironment = "", env: Record<string, string> = {}) {
  const environment = join(folder, "environment");
  await writeFile(environment, etcEnvironment);
  const functions = downloadFunctions(urls).replaceAll("/etc/environment", environment);
  const clean = { http_proxy: "", HTTP_PROXY: "", https_proxy: "", HTTPS_PROXY: "", no_proxy: "", NO_PROXY: "" };
  const script = join(folder, "script");
  await writeFile(script, `set -e\n${functions}\n${command}\n`);
  return await run("sh", [script], { env: { ...clean, ...env } });
}

describe.each(["download", "download_with_wget"])("%s", (program) => {
  const file = () => join(folder, "file");
  const get = (url: string) => `${program} ${quote(url)} ${quote(file())}`;

  test("asks a mirror over http", async () => {
    await sh(MIRROR, get(`${origin()}/kubelet`));
    expect(await readFile(file(), "utf8")).toBe("content");
  });

  test("asks nothing over http where the sources have https", async () => {
    await expect(sh(OFFICIAL, get(`${origin()}/kubelet`))).rejects.toThrow();
    expect(asked).toEqual([]);
  });

  test.each([
    ["the environment", "", "http_proxy"],
    ["the environment, in upper case", "", "HTTP_PROXY"],
    ["/etc/environment", "http_proxy", ""],
    ["/etc/environment, quoted and exported", 'export HTTP_PROXY="', ""],
  ])("uses the proxy of %s", async (_, line, variable) => {
    const text = line === "" ? "" : `A=1\n${line.replace('="', "")}="${origin()}"\n`;
    await sh(MIRROR, get(MIRROR[0] ?? ""), text, variable === "" ? {} : { [variable]: origin() });
    expect(asked).toEqual(MIRROR);
  });

  test("does not use the proxy for a host of no_proxy", async () => {
    await sh(MIRROR, get(`${origin()}/kubelet`), "no_proxy=127.0.0.1\n", { http_proxy: "http://127.0.0.1:9" });
    expect(asked).toEqual(["/kubelet"]);
  });
});

test("a probe reports a server that does not answer in time, and one that refuses", async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>((listening) => silent.listen(0, "127.0.0.1", listening));
  const slow = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/a`;
  const probe = (urls: string[]) => run("sh", ["-c", probeScript(urls, 1)], { env: { no_proxy: "127.0.0.1" } });
  await probe([`${origin()}/a`]);
  await expect(probe([`${origin()}/a`, slow])).rejects.toThrow(`${slow}: no answer within 1 s`);
  await expect(probe(["http://127.0.0.1:9/a"])).rejects.toThrow("http://127.0.0.1:9/a: curl: (7)");
  silent.closeAllConnections();
  silent.close();
});
