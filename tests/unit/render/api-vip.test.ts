import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { VIP_CONFIG, VIP_PROBE, vipFiles } from "../../../render/api-vip";
import { golden } from "./samples";

const OPTIONS = { vip: "10.0.0.50", name: "cp-1", address: "10.0.0.11", peers: ["10.0.0.12", "10.0.0.13"], port: 6443 };
const FOLDER = "/etc/kubewright/api-vip";
const contentOf = (path: string, changes: Partial<typeof OPTIONS> = {}) =>
  vipFiles({ ...OPTIONS, ...changes })[path]?.content ?? "";

describe("the files of a virtual address", () => {
  test("on one of three control planes", async () => {
    const text = Object.entries(vipFiles(OPTIONS)).map(
      ([path, { content, mode }]) => `=== ${path} ${mode.toString(8)}\n${content}`,
    );
    await expect(text.join("\n")).toMatchFileSnapshot(golden("api-vip/three-control-planes.txt"));
  });

  test("name no peers of a single control plane", () => {
    expect(contentOf(VIP_CONFIG, { peers: [] })).not.toContain("unicast_peer");
  });

  test("put an IPv6 address in brackets where a port follows", () => {
    const vip = "fd00::50";
    expect(contentOf(VIP_PROBE, { vip })).toContain("https://[fd00::50]:6443/readyz");
    expect(contentOf(VIP_CONFIG, { vip })).toContain("fd00::50/128 dev INTERFACE");
  });

  test.each([
    ["10.0.0.50", 50],
    ["10.0.0.0", 255],
    ["fd00::1f", 31],
  ])("%s has the router number %i", (vip, number) => {
    expect(contentOf(VIP_CONFIG, { vip })).toMatch(new RegExp(`virtual_router_id ${number}$`, "m"));
  });
});

/** Programs that the scripts call, by name. */
type Programs = Readonly<Record<string, string>>;

describe("the scripts of a virtual address", () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "kubewright-vip-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  function run(path: string, programs: Programs): { status: number | null; stderr: string } {
    for (const [name, text] of Object.entries(programs))
      writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    writeFileSync(join(folder, "keepalived.conf"), contentOf(VIP_CONFIG));
    const script = contentOf(`${FOLDER}/${path}`).replaceAll(FOLDER, folder).replaceAll("/run/", `${folder}/run-`);
    const env = { PATH: `${folder}:${process.env.PATH}` };
    const { status, stderr } = spawnSync("sh", ["-c", script], { env, encoding: "utf8" });
    return { status, stderr };
  }

  const ip = (vip = "") =>
    `case "$5" in 10.0.0.11) echo "2: eth1 inet 10.0.0.11/24" ;; *) printf '%s' '${vip}' ;; esac`;
  const running = () => join(folder, "run-kubewright-api-vip.conf");
  const prepare = (programs: Programs) => run("prepare.sh", { ip: ip(), ping: "exit 1", curl: "exit 1", ...programs });

  test("prepare: the address belongs on the interface that has the control plane's own", () => {
    expect(prepare({})).toEqual({ status: 0, stderr: "" });
    const text = readFileSync(running(), "utf8");
    expect(text).toMatch(/^ {4}interface eth1$/m);
    expect(text).toMatch(/^ {8}10\.0\.0\.50\/32 dev eth1$/m);
  });

  test("prepare: an address that another machine has is refused", () => {
    const { status, stderr } = prepare({ ping: "exit 0" });
    expect([status, stderr]).toEqual([1, expect.stringContaining("another machine answers at 10.0.0.50")]);
    expect(existsSync(running())).toBe(false);
  });

  test("prepare: an address that a control plane of the cluster has is not refused", () => {
    expect(prepare({ ping: "exit 0", curl: "exit 0" }).status).toBe(0);
    expect(prepare({ ip: ip("2: eth1 inet 10.0.0.50/32"), ping: "exit 0" }).status).toBe(0);
  });

  test("prepare: a control plane without its own address is refused", () => {
    expect(prepare({ ip: "true" })).toEqual({ status: 1, stderr: "no interface has the address 10.0.0.11\n" });
  });

  test("check: a control plane whose API server is ready may have the address", () => {
    expect(run("check.sh", { curl: "exit 0" }).status).toBe(0);
    expect(run("check.sh", { curl: "exit 22" }).status).toBe(22);
  });

  test("check: a control plane that is taken out of the balancers must not have it", () => {
    writeFileSync(join(folder, "run-kubewright-api-balancer-answer"), "drain\n");
    expect(run("check.sh", { curl: "exit 0" }).status).toBe(1);
    writeFileSync(join(folder, "run-kubewright-api-balancer-answer"), "ready\n");
    expect(run("check.sh", { curl: "exit 0" }).status).toBe(0);
  });
});
