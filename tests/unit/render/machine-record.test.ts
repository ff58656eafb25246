import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { template } from "../../../render/template";

/** Runs templates/host/record.sh and restore-kernel.sh with fake programs. */
let folder: string;
const record = () => join(folder, "kubewright/machine-before");
const modules = () => join(folder, "modules");
const log = () => (existsSync(join(folder, "log")) ? readFileSync(join(folder, "log"), "utf8").split("\n") : []);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "record-test-"));
  fake("systemd-detect-virt", "exit 1");
  fake("ip", "true");
  fake("nft", "true");
  fake("sysctl", 'echo "sysctl $*" >> $FOLDER/log');
  // Unloads a module that no other module uses.
  fake("rmmod", 'echo "rmmod $1" >> $FOLDER/log; sed -i "/^$1 /d" $FOLDER/modules');
  writeFileSync(modules(), "");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function fake(name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
}

function run(script: string): void {
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}`, FOLDER: folder };
  const local = script.replaceAll("/proc/modules", modules()).replaceAll("/run/netns", join(folder, "netns"));
  execFileSync("sh", ["-c", local], { env, stdio: "ignore" });
}

const restore = () => run(template("host/restore-kernel.sh", { RECORD: record() }));

function writeRecord(...lines: string[]): void {
  mkdirSync(join(folder, "kubewright"), { recursive: true });
  writeFileSync(record(), lines.map((line) => `${line}\n`).join(""));
}

describe("the record", () => {
  const make = () => run(template("host/record.sh", { RECORD: record(), SYSCTLS: "net.ipv4.ip_forward kernel.none" }));
  beforeEach(() => {
    fake(
      "sysctl",
      `case "$*" in
-aN*) printf 'net.ipv4.conf.all.forwarding\\nnet.ipv4.conf.eth0.forwarding\\nnet.ipv4.conf.all.accept_redirects\\n' ;;
*kernel.none) exit 1 ;;
*) echo 0 ;;
esac`,
    );
    fake("systemctl", 'case $1 in list-unit-files) echo "a.service enabled" ;; *) echo "b.service loaded" ;; esac');
    writeFileSync(modules(), "overlay 1 0 - Live\n");
  });

  test("has folders, units, modules, and the sysctls that exist", () => {
    make();
    const lines = readFileSync(record(), "utf8").split("\n");
    expect(lines).toEqual(
      expect.arrayContaining(["folder /var/lib/dpkg", "enabled a.service", "active b.service", "module overlay"]),
    );
    // A change of ip_forward changes the others, so it comes first.
    expect(lines.filter((line) => line.startsWith("sysctl "))).toEqual([
      "sysctl net.ipv4.ip_forward 0",
      "sysctl net.ipv4.conf.eth0.forwarding 0",
      "sysctl net.ipv4.conf.all.accept_redirects 0",
    ]);
  });

  test("is written once", () => {
    writeRecord("module first");
    make();
    expect(readFileSync(record(), "utf8")).toBe("module first\n");
  });

  test("of a container has no modules, which are its host's", () => {
    fake("systemd-detect-virt", "exit 0");
    make();
    expect(readFileSync(record(), "utf8")).not.toContain("module");
  });
});

describe("restoring", () => {
  test("sets the recorded values, then those of the machine's own configuration, and deletes the record", () => {
    writeRecord("sysctl net.ipv4.ip_forward 0");
    restore();
    expect(log()).toEqual([
      "sysctl -q -w net.ipv4.ip_forward=0",
      String.raw`sysctl -q --system --pattern ^net\.ipv4\.ip_forward$`,
      "",
    ]);
    expect(existsSync(join(folder, "kubewright"))).toBe(false);
  });

  test("keeps forwarding while another program has a bridge", () => {
    writeRecord("sysctl net.ipv4.ip_forward 0", "sysctl net.ipv4.conf.all.accept_redirects 1", "sysctl kernel.panic 0");
    fake("ip", '[ "$5" = bridge ] && echo "5: docker0"');
    restore();
    expect(log().join()).not.toMatch(/ip_forward|accept_redirects/);
    expect(log()).toContain("sysctl -q -w kernel.panic=0");
  });

  test("unloads modules that Kubernetes uses and that were not loaded before, with those that they used", () => {
    writeRecord("module nf_conntrack");
    fake("rmmod", `echo "rmmod $1" >> $FOLDER/log; sed -i "/^$1 /d; s/^bridge 1 1/bridge 1 0/" $FOLDER/modules`);
    writeFileSync(modules(), "br_netfilter 1 0\nbridge 1 1\nnf_conntrack 1 0\nnf_nat 1 2\nloop 1 0\noverlay 1 0\n");
    restore();
    expect(log().filter(Boolean).sort()).toEqual(["rmmod br_netfilter", "rmmod bridge", "rmmod overlay"]);
  });

  test("keeps modules that another program's rules or links need", () => {
    writeRecord("");
    writeFileSync(modules(), "nft_chain_nat 1 0\nveth 1 0\nbr_netfilter 1 0\n");
    fake("nft", "echo table inet own");
    fake("ip", "echo 7: link");
    restore();
    expect(log().filter(Boolean)).toEqual([]);
  });

  test("unloads nothing in a container", () => {
    writeRecord("");
    writeFileSync(modules(), "overlay 1 0\n");
    fake("systemd-detect-virt", "exit 0");
    restore();
    expect(log()).toEqual([]);
  });

  test("changes nothing without a record", () => {
    writeFileSync(modules(), "overlay 1 0\n");
    restore();
    expect(log()).toEqual([]);
  });
});
