import { readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { hostResource } from "../../../provider/resources/host";
import type { HostFacts } from "../../../render/facts";
import { packagesResource } from "../../../provider/resources/packages";
import type { Context } from "../../../provider/rpc/handler";
import { enginePackages } from "../../../render/docker";
import { requiredPackages } from "../../../render/node-contents";
import { silentContext } from "../../support/context";
import { dnfAvailable, startFedoraLike } from "../../support/fedora-like";
import type { Requirement } from "../../support/requirement";
import type { Sshd } from "../../support/sshd";

/** Fedora's packages with the real dnf and rpm on Debian: empty packages with the names that a node asks for. */
let dnf: Requirement;
let sshd: Sshd;
let facts: HostFacts;
const instance = readFileSync("/etc/machine-id", "utf8").trim();
const ask = (packages: string[], more: object = {}) => ({
  connection: sshd.connection(),
  instance,
  osFamily: "fedora",
  packages,
  ...more,
});
const on = async (script: string) =>
  (
    await silentContext.connections.get(sshd.connection()).run(script, { step: "a test", signal: silentContext.signal })
  ).stdout.trim();
const listening = (said: string[]): Context => ({ ...silentContext, status: (message) => void said.push(message) });
const readBack = async (packages: string[]) =>
  (
    (await packagesResource.read?.(silentContext, "id", { inputs: ask(packages), outputs: {} }))?.inputs as {
      packages: string[];
    }
  ).packages;

beforeAll(async () => {
  dnf = await dnfAvailable();
  if (process.env.CI === "true") expect(dnf.reason).toBe("");
  if (!dnf.met) return;
  const names = [
    "iproute",
    "nftables",
    "conntrack-tools",
    "ethtool",
    "kmod",
    "procps-ng",
    "socat",
    "moby-engine",
    "docker-cli",
  ];
  sshd = await startFedoraLike([
    ...names.map((name) => ({ name })),
    { name: "iptables-nft-of-another-name", provides: ["iptables-nft"] },
  ]);
  facts = (
    (await hostResource.create(silentContext, { connection: sshd.connection() })).outputs as { facts: HostFacts }
  ).facts;
});
beforeEach(({ skip }) => skip(!dnf.met, dnf.reason));
afterAll(async () => {
  if (!dnf.met) return;
  silentContext.connections.get(sshd.connection()).close();
  await sshd.stop();
});

test("the machine is recognized as Fedora", () => {
  expect(facts).toMatchObject({ osFamily: "fedora", osId: "fedora", osVersion: "42" });
});

test("installs what a node and Docker need with dnf, once, except what another package provides", async () => {
  const wanted = [...requiredPackages(facts), ...enginePackages(facts)];
  const said: string[] = [];
  expect(await readBack(wanted)).toEqual([]);
  await packagesResource.create(listening(said), ask(wanted));
  expect(said).toEqual([`installing ${wanted.join(" ")}`]);
  expect(await on("rpm -q socat iptables-nft-of-another-name")).toBe(
    "socat-1-1.noarch\niptables-nft-of-another-name-1-1.noarch",
  );
  expect(await readBack(wanted)).toEqual(wanted);
  await packagesResource.create(listening(said), ask(wanted));
  expect(said).toHaveLength(1);
});

test("a refresh reports a removed package, and the next update installs it", async () => {
  await on("dnf -q -y remove socat");
  expect(await readBack(["ethtool", "socat"])).toEqual(["ethtool"]);
  await packagesResource.update?.(silentContext, "id", ask(["ethtool", "socat"]), {
    inputs: ask(["ethtool"]),
    outputs: {},
  });
  expect(await on("rpm -q socat")).toBe("socat-1-1.noarch");
});

test("names a package that no repository has, whether dnf fails or continues without it", async () => {
  const failing = packagesResource.create(silentContext, ask(["ethtool", "not-to-be-had"]));
  await expect(failing).rejects.toThrow(
    /installing packages failed on fedora .*not-to-be-had.*; install not-to-be-had manually, or configure a/s,
  );
  await on("echo 'strict=0' >> /etc/dnf/dnf.conf");
  await expect(packagesResource.create(silentContext, ask(["not-to-be-had"]))).rejects.toThrow(
    /not-to-be-had.*; install not-to-be-had manually/s,
  );
});

test("installs nothing if the program exists already", async () => {
  const said: string[] = [];
  await packagesResource.create(listening(said), ask(["not-to-be-had"], { unlessProgram: "sh" }));
  expect(said).toEqual([]);
});
