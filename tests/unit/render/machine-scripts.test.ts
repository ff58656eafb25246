import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { guardUnit } from "../../../render/guard";
import { kernelModules } from "../../../render/kernel";
import { kubeletUnit } from "../../../render/kubelet";
import { leftoversScript } from "../../../render/leftovers";
import { template } from "../../../render/template";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "scripts-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Puts a fake program on PATH for `run`. */
function fake(name: string, script: string): void {
  writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, name), 0o755);
}

function run(script: string): string {
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}`, FOLDER: folder };
  return execFileSync("sh", ["-c", script], { env, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
}

describe.skipIf(process.platform !== "linux")("the fact conntrackWritable", () => {
  const file = () => join(folder, "nf_conntrack_max");
  const fact = (isContainer: boolean) => {
    fake("systemd-detect-virt", `exit ${isContainer ? 0 : 1}`);
    const script = template("host/facts.sh").replaceAll("/proc/sys/net/netfilter/nf_conntrack_max", file());
    return /^conntrack_writable=(.*)$/m.exec(run(`${script}\ntrue`))?.[1];
  };

  test("is yes on a machine on which the module is not loaded yet", () => {
    expect(fact(false)).toBe("yes");
  });

  test("is yes on a machine with the module", () => {
    writeFileSync(file(), "1");
    expect(fact(false)).toBe("yes");
  });

  test("is no in a container", () => {
    writeFileSync(file(), "1");
    expect(fact(true)).toBe("no");
  });
});

test("the disk's size and free space are those of the file system of /var/lib", () => {
  const header = "Filesystem 1048576-blocks Used Available Capacity Mounted";
  fake("df", `[ "$*" = "-Pm /var/lib" ] && printf '${header}\\n/dev/sda 258020 46700 46564 51%% /\\n'`);
  const facts = run(`${template("host/facts.sh")}\ntrue`);
  expect(facts).toContain("disk_mib=258020\ndisk_free_mib=46564\n");
});

test("nf_conntrack is loaded on every node, so that kube-proxy can change its settings", () => {
  expect(kernelModules).toContain("nf_conntrack");
});

test("systemd-networkd keeps the guard's route, which has protocol kernel", () => {
  expect(guardUnit({ podCidr: "10.244.0.0/16" })).toMatch(/^ExecStart=ip route replace unreachable .* proto kernel$/m);
});

describe("removing a kubelet", () => {
  const record = () => join(folder, "sysctls");
  const recordSysctls = () => {
    const [, command = ""] = /^ExecStartPre=-sh -c '(.*)'$/m.exec(kubeletUnit()) ?? [];
    run(command.replaceAll("/run/kubewright-sysctls", record()));
  };

  test("restores the sysctls that the kubelet changed", () => {
    fake("sysctl", `if [ "$1" = -q ]; then echo "$@" >> $FOLDER/restored; else echo "kernel.panic = 0"; fi`);
    recordSysctls();
    // After the kubelet has changed the setting, a restart must not record it.
    fake("sysctl", `if [ "$1" = -q ]; then echo "$@" >> $FOLDER/restored; else echo "kernel.panic = 10"; fi`);
    recordSysctls();
    expect(readFileSync(record(), "utf8")).toBe("kernel.panic = 0\n");
    const [restore = ""] = /^if \[ -f \/run\/kubewright-sysctls[^]*?^fi$/m.exec(leftoversScript(["kubelet"])) ?? [];
    run(restore.replaceAll("/run/kubewright-sysctls", record()));
    expect(readFileSync(join(folder, "restored"), "utf8")).toBe(`-q -p ${record()}\n`);
    expect(existsSync(record())).toBe(false);
  });

  test("leaves no empty folders of Kubernetes, except a data folder that existed before", () => {
    const script = leftoversScript(["kubelet"]);
    expect(script).toContain("rmdir /var/lib/kubewright/manifests /etc/kubernetes/manifests /etc/kubernetes");
    expect(script).toMatch(/^grep -qsxF 'folder \/var\/lib\/kubelet' .* \|\| rmdir \/var\/lib\/kubelet /m);
  });

  test("stops the slices of pods", () => {
    expect(leftoversScript(["kubelet"])).toContain("systemctl stop kubepods.slice");
  });

  test.each([
    [
      "an empty table",
      "\tchain POSTROUTING {\n\t\ttype nat hook postrouting priority srcnat; policy accept;\n\t}\n",
      true,
    ],
    ["a table without chains", "", true],
    [
      "a rule",
      "\tchain INPUT {\n\t\ttype filter hook input priority 0; policy accept;\n\t\ttcp dport 22 accept\n\t}\n",
      false,
    ],
    ["another policy", "\tchain INPUT {\n\t\ttype filter hook input priority 0; policy drop;\n\t}\n", false],
    ["a chain of another program", "\tchain DOCKER-USER {\n\t}\n", false],
  ])("handles iptables' tables: %s", (_, chains, isDeleted) => {
    writeFileSync(join(folder, "table"), `table ip nat {\n${chains}}\n`);
    fake(
      "nft",
      `case "$*" in
"list table ip nat") cat $FOLDER/table ;;
delete*) echo "$*" >> $FOLDER/deleted ;;
*) exit 1 ;;
esac`,
    );
    run(`${template("leftovers/common.sh")}\nwithout_empty_tables`);
    expect(existsSync(join(folder, "deleted"))).toBe(isDeleted);
    if (isDeleted) expect(readFileSync(join(folder, "deleted"), "utf8")).toBe("delete table ip nat\n");
  });
});
