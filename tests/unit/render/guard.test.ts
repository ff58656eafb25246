import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { guardProbe, guardTable } from "../../../render/guard";

const NETWORK = { serviceCidr: "10.10.0.0/16", podCidr: "10.244.0.0/16" };
const ROUTE = "unreachable 10.244.0.0/16 proto kernel metric 4096";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "guard-test-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Whether the probe succeeds on a machine with these rules and routes. */
function succeeds(rules: string, routes: string): boolean {
  const programs = { nft: rules, ip: routes };
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(folder, `${name}.txt`), text);
    writeFileSync(join(folder, name), `#!/bin/sh\ncat ${join(folder, name)}.txt\n`);
    chmodSync(join(folder, name), 0o755);
  }
  try {
    const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` };
    execFileSync("sh", ["-c", guardProbe(NETWORK)], { env, stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

test("the guard's probe succeeds with its rules and its route", () => {
  expect(succeeds(guardTable(NETWORK), `${ROUTE}\n`)).toBe(true);
});

test("the guard's probe fails without its route", () => {
  expect(succeeds(guardTable(NETWORK), "")).toBe(false);
});

test("the guard's probe fails without one of its rules", () => {
  expect(succeeds(guardTable(NETWORK).replace("ip daddr 10.10.0.0/16", ""), `${ROUTE}\n`)).toBe(false);
  expect(succeeds("", `${ROUTE}\n`)).toBe(false);
});
