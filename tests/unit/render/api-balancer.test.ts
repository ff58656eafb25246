import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { BALANCER_CONFIG, apiEndpoint, apiName, balancerFiles } from "../../../render/api-balancer";
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
    expect(contentOf(BALANCER_CONFIG, { servers: servers.slice(0, 1) })).not.toMatch(/^\s+default-server .*check/m);
    expect(contentOf(BALANCER_CONFIG)).toMatch(/^\s+default-server check check-ssl verify none/m);
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
