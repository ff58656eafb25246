import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { APPROVER_SCRIPT, APPROVER_TIMER, approverFiles, isRequestOf, ROSTER } from "../../../render/kubelet-serving";
import { REQUESTS } from "../../support/serving-requests";

const NODE = { name: "worker-1", addresses: ["10.0.0.12"] };
const DUAL = { name: "worker-1", addresses: ["fd00::1", "10.0.0.12"] };
const pem = (text: string) => `-----BEGIN CERTIFICATE REQUEST-----\n${text}\n-----END CERTIFICATE REQUEST-----\n`;
const GOOD = pem(REQUESTS.own);

describe("a request as a kubelet writes it", () => {
  test("is recognized by its node's name and address", () => {
    expect(isRequestOf(NODE, GOOD)).toBe(true);
  });

  test("is recognized with several addresses, in the kubelet's order", () => {
    expect(isRequestOf(DUAL, pem(REQUESTS.dual))).toBe(true);
  });

  test("is recognized where its names need longer lengths", () => {
    const name = "a-node-whose-name-is-as-long-as-a-label-may-be-63-characters-ab";
    expect(isRequestOf({ name, addresses: ["10.0.0.12"] }, pem(REQUESTS.long))).toBe(true);
  });

  test.each<[string, string]>([
    ["with another address", pem(REQUESTS.strangerAddress)],
    ["with an additional address", pem(REQUESTS.dual)],
    ["with an additional name", pem(REQUESTS.additionalName)],
    ["of another node", pem(REQUESTS.otherNode)],
    ["without names", pem(REQUESTS.noNames)],
    ["with an RSA key", pem(REQUESTS.rsa)],
    ["before another request", GOOD + pem(REQUESTS.otherNode)],
    ["in text before another request", `${REQUESTS.own}\n${pem(REQUESTS.otherNode)}`],
    ["that is only text", "text"],
  ])("%s is not that of the node", (_, text) => {
    expect(isRequestOf(NODE, text)).toBe(false);
  });
});

describe.skipIf(process.platform !== "linux")("the timer's script", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "kubelet-serving-test-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  interface Sent {
    user?: string;
    group?: string;
    usages?: string;
    text: string;
  }

  /** Runs the script with requests. @returns the approved ones and what was printed */
  function run(requests: Record<string, Sent>, args = "", roster = [NODE]): { approved: string; output: string } {
    const lines = Object.entries(requests).map(([name, { user, group, usages, text }]) =>
      [
        name,
        user ?? '"system:node:worker-1"',
        group ?? "node",
        usages ?? "digital signature,server auth,",
        Buffer.from(text).toString("base64"),
      ].join("\u001f"),
    );
    writeFileSync(join(folder, "pending"), lines.map((line) => `${line}\n`).join(""));
    const approvals = join(folder, "approved");
    const kubectl = `case $1 in get) cat ${join(folder, "pending")} ;; *) echo "$3" >>${approvals} ;; esac`;
    writeFileSync(join(folder, "kubectl"), `#!/bin/sh\n${kubectl}\n`);
    chmodSync(join(folder, "kubectl"), 0o755);
    const files = approverFiles(roster);
    writeFileSync(join(folder, "roster"), files[ROSTER]?.content ?? "");
    const script = (files[APPROVER_SCRIPT]?.content ?? "")
      .replaceAll(ROSTER, join(folder, "roster"))
      .replaceAll("/run/", `${folder}/`);
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
    const output = execFileSync("sh", ["-c", script, "approve", args], { env, encoding: "utf8" });
    return { approved: existsSync(approvals) ? readFileSync(approvals, "utf8") : "", output };
  }

  test("approves the request of a node", () => {
    expect(run({ "csr-1": { text: GOOD } })).toEqual({ approved: "csr-1\n", output: "" });
  });

  test("approves a request with several addresses, beside other nodes", () => {
    const roster = [{ name: "worker-10", addresses: ["10.0.0.1"] }, DUAL];
    expect(run({ "csr-1": { text: pem(REQUESTS.dual) } }, "", roster).approved).toBe("csr-1\n");
  });

  test.each<[string, Sent, string]>([
    ["with a stranger's address", { text: pem(REQUESTS.strangerAddress) }, "other names or addresses"],
    ["with an additional address", { text: pem(REQUESTS.dual) }, "other names or addresses"],
    ["with an additional name", { text: pem(REQUESTS.additionalName) }, "other names or addresses"],
    ["for another node", { text: pem(REQUESTS.otherNode) }, "other names or addresses"],
    ["before another request", { text: GOOD + pem(REQUESTS.otherNode) }, "other names or addresses"],
    [
      "in text before another request",
      { text: `${REQUESTS.own}\n${pem(REQUESTS.otherNode)}` },
      "other names or addresses",
    ],
    ["of another user", { text: GOOD, user: '"kubernetes-admin"' }, "has no such node"],
    ["of an unknown node", { text: GOOD, user: '"system:node:ghost"' }, "has no such node"],
    ["of a user with a line of the roster as name", { text: GOOD, user: '"system:node:.*"' }, "has no such node"],
    ["of a user outside of system:nodes", { text: GOOD, group: "" }, "has no such node"],
    ["for a client certificate", { text: GOOD, usages: "digital signature,client auth," }, "usages are"],
    ["for more usages", { text: GOOD, usages: "digital signature,server auth,client auth," }, "usages are"],
  ])("does not approve a request %s, and reports it once", (_, sent, reason) => {
    const first = run({ stranger: sent, own: { text: GOOD } });
    expect(first.approved).toBe("own\n");
    expect(first.output).toMatch(/^<4>stranger is not approved: /);
    expect(first.output).toContain(reason);
    expect(run({ stranger: sent }).output).toBe("");
  });

  test("only reads the requests with `check`", () => {
    expect(run({ "csr-1": { text: GOOD } }, "check")).toEqual({ approved: "", output: "" });
  });
});

test("the timer runs after each boot", () => {
  const timer = approverFiles([NODE])[`/etc/systemd/system/${APPROVER_TIMER}`]?.content;
  expect(timer).toMatch(/^OnActiveSec=\d+$/m);
  expect(timer).toMatch(/^WantedBy=timers.target$/m);
});
