import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { firewallResource } from "../../../provider/resources/firewall";
import { silentContext } from "../../support/context";
import { firewalldAvailable, startWithFirewalld } from "../../support/firewalld";
import type { Requirement } from "../../support/requirement";
import type { Sshd } from "../../support/sshd";

/** The real firewalld, Fedora's default. */
let firewalld: Requirement;
let sshd: Sshd;
const instance = readFileSync("/etc/machine-id", "utf8").trim();
const PORTS = ["6443/tcp", "30000-32767/udp"];
const RANGES = ["10.244.0.0/16"];
const wanted = (ports = PORTS, ranges = RANGES) => ({ connection: sshd.connection(), instance, ports, ranges });
const on = async (script: string) =>
  (
    await silentContext.connections.get(sshd.connection()).run(script, { step: "a test", signal: silentContext.signal })
  ).stdout.trim();
const readBack = async () =>
  (await firewallResource.read?.(silentContext, "id", { inputs: wanted(), outputs: {} }))?.inputs as {
    ports: string[];
    ranges: string[];
  };

beforeAll(async () => {
  firewalld = await firewalldAvailable();
  if (process.env.CI === "true") expect(firewalld.reason).toBe("");
  if (!firewalld.met) return;
  sshd = await startWithFirewalld();
  // An existing rule of the user.
  await on("firewall-cmd -q --permanent --zone=public --add-port=8080/tcp; firewall-cmd -q --reload");
}, 120_000);
beforeEach(({ skip }) => skip(!firewalld.met, firewalld.reason));
afterAll(async () => {
  if (!firewalld.met) return;
  silentContext.connections.get(sshd.connection()).close();
  await sshd.stop();
});

test("opens what a node needs, now and after a restart, and leaves other rules unchanged", async () => {
  expect(await readBack()).toMatchObject({ ports: [], ranges: [] });
  expect((await firewallResource.create(silentContext, wanted())).outputs).toEqual({ firewall: "firewalld" });
  for (const kept of ["", "--permanent"]) {
    expect((await on(`firewall-cmd ${kept} --zone=public --list-ports`)).split(" ").sort()).toEqual([
      "30000-32767/udp",
      "6443/tcp",
      "8080/tcp",
    ]);
    expect(await on(`firewall-cmd ${kept} --zone=trusted --list-sources`)).toBe("10.244.0.0/16");
  }
  expect(await readBack()).toMatchObject({ ports: PORTS, ranges: RANGES });
});

test("a refresh reports a removed rule; the update restores it and removes all others", async () => {
  await on("firewall-cmd -q --permanent --zone=public --remove-port=6443/tcp; firewall-cmd -q --reload");
  expect((await readBack()).ports).toEqual(["30000-32767/udp"]);
  await firewallResource.update?.(silentContext, "id", wanted(["6443/tcp"]), { inputs: wanted(), outputs: {} });
  expect((await on("firewall-cmd --zone=public --list-ports")).split(" ").sort()).toEqual(["6443/tcp", "8080/tcp"]);
});

test("removes all its rules when the machine leaves the cluster", async () => {
  await firewallResource.delete?.(silentContext, "id", {
    inputs: wanted(["6443/tcp"]),
    outputs: { firewall: "firewalld" },
  });
  expect(await on("firewall-cmd --permanent --zone=public --list-ports")).toBe("8080/tcp");
  expect(
    await on(
      "firewall-cmd --permanent --zone=trusted --list-sources; " +
        "firewall-cmd --permanent --get-policies | grep -c kubewright || true",
    ),
  ).toBe("0");
});
