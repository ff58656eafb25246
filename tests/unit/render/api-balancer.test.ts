import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BALANCER_ANSWER, BALANCER_CONFIG, apiEndpoint, apiName, balancerFiles } from "../../../render/api-balancer";
import { golden } from "./samples";

const servers = [1, 2, 3].map((number) => ({ name: `control-plane-${number}`, address: `10.0.0.1${number}` }));

function contentOf(path: string, changes: Partial<Parameters<typeof balancerFiles>[0]> = {}): string {
  return balancerFiles({ cluster: "dev", servers, nodes: 5, ...changes })[path]?.content ?? "";
}

describe("the name of the API server", () => {
  test.each([
    ["dev", "api.dev.internal"],
    ["Team_A.blue", "api.team-a-blue.internal"],
    ["-x-", "api.x.internal"],
    ["__", "api.cluster.internal"],
    ["a".repeat(70), `api.${"a".repeat(63)}.internal`],
  ])("of cluster %s is a DNS name", (cluster, name) => {
    expect(apiName(cluster)).toBe(name);
  });

  test("has a port that the API server itself does not use", () => {
    expect(apiEndpoint("dev")).toBe("api.dev.internal:7443");
  });
});

describe("the balancer's files", () => {
  test("for three control planes", async () => {
    const files = balancerFiles({ cluster: "dev", servers, nodes: 5 });
    const text = Object.entries(files).map(
      ([path, { content, mode }]) => `=== ${path} ${mode.toString(8)}\n${content}`,
    );
    await expect(text.join("\n")).toMatchFileSnapshot(golden("api-balancer/three-control-planes.txt"));
  });

  test("do not check a single control plane: it has no alternative", () => {
    expect(contentOf(BALANCER_CONFIG, { servers: servers.slice(0, 1) })).not.toMatch(/backend checks| track /);
    expect(contentOf(BALANCER_CONFIG)).toMatch(/^\s+default-server check check-ssl verify none/m);
    expect(contentOf(BALANCER_CONFIG)).toContain(" track checks/control-plane-3 on-marked-down shutdown-sessions\n");
  });

  test("give a connection less time than a check: a busy API server takes longer for its TLS handshake", () => {
    const [connections = "", checks = ""] = contentOf(BALANCER_CONFIG).split("backend checks");
    expect(connections).toMatch(/^ +timeout connect 300ms$/m);
    expect(checks).toMatch(/^ +timeout connect 2s$/m);
  });

  test("ask each control plane whether it is taken out, as often as they check it", () => {
    expect(contentOf(BALANCER_CONFIG)).toContain("agent-check agent-port 7444 agent-inter 1s ");
    expect(contentOf(BALANCER_CONFIG, { nodes: 101 })).toContain("agent-inter 3s ");
  });

  test("check the control planes of a large cluster less often", () => {
    expect(contentOf(BALANCER_CONFIG, { nodes: 100 })).toContain("inter 1s");
    expect(contentOf(BALANCER_CONFIG, { nodes: 101 })).toContain("inter 3s");
  });

  test("put IPv6 addresses in brackets", () => {
    const ipv6 = [{ name: "boss", address: "fd00::1" }];
    expect(contentOf(BALANCER_CONFIG, { servers: ipv6 })).toContain("server boss [fd00::1]:6443\n");
  });
});

describe("the answer to the balancers", () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "kubewright-answer-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Runs the script, and then the commands of its service. Returns what is answered, in order. */
  function answered(argument: string): string[] {
    const command = (name: string, text: string) =>
      writeFileSync(join(folder, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
    command("systemctl", "exit 5");
    command("systemd-run", 'eval "last=\\${$#}"; sh -c "$last"');
    command("timeout", `echo "$1 $(cat ${folder}/run/kubewright-api-balancer-answer)" >> ${folder}/answers`);
    execFileSync("mkdir", ["-p", join(folder, "run"), join(folder, "var/lib/kubewright")]);
    const script = contentOf(BALANCER_ANSWER).replaceAll(/\/(run|var)\//g, `${folder}/$1/`);
    execFileSync("sh", ["-c", script, "answer.sh", argument], { env: { PATH: `${folder}:${process.env.PATH}` } });
    expect(existsSync(join(folder, "var/lib/kubewright/api-balancer-answer"))).toBe(false);
    return readFileSync(join(folder, "answers"), "utf8").trim().split("\n");
  }

  test("`drain` ends by itself", () => {
    expect(answered("drain")).toEqual(["900 drain", "30 ready"]);
  });

  test("`ready` is given until all balancers have asked", () => {
    expect(answered("ready")).toEqual(["30 ready"]);
  });
});

describe("the script that runs before each start", () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "kubewright-hosts-"))));
  afterEach(() => rmSync(folder, { recursive: true }));

  function prepared(before: string): string {
    const hosts = join(folder, "hosts");
    writeFileSync(hosts, before);
    const script = contentOf("/etc/kubewright/api-balancer/prepare.sh").replaceAll("/etc/hosts", hosts);
    execFileSync("sh", ["-c", script]);
    return readFileSync(hosts, "utf8");
  }

  const block = (...lines: string[]) => ["# BEGIN kubewright", ...lines, "# END kubewright", ""].join("\n");

  test("adds the API server's name to a hosts file that has no block", () => {
    expect(prepared("127.0.0.1 localhost\n")).toBe(`127.0.0.1 localhost\n${block("127.0.0.1 api.dev.internal")}`);
  });

  test("adds it to the block of the cluster's machines", () => {
    expect(prepared(`::1 localhost\n${block("10.0.0.11 boss")}`)).toBe(
      `::1 localhost\n${block("127.0.0.1 api.dev.internal", "10.0.0.11 boss")}`,
    );
  });

  test("changes nothing when the name is there", () => {
    const before = block("10.0.0.11 boss", "127.0.0.1 api.dev.internal");
    expect(prepared(before)).toBe(before);
  });
});
