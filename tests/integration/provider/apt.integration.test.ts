import { existsSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { packagesResource } from "../../../provider/resources/packages";
import { silentContext, testContext } from "../../support/context";
import { archiveOf, startDebianLike } from "../../support/debian-like";
import type { Sshd } from "../../support/sshd";

/** Debian's locks, with the real dpkg and apt. Mounting requires root. */
const missing =
  process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")
    ? ""
    : "a Debian root file system for a test requires root, on Debian";
let sshd: Sshd;
const instance = readFileSync("/etc/machine-id", "utf8").trim();
const ask = (...packages: string[]) => ({ connection: sshd.connection(), instance, osFamily: "debian", packages });
const on = async (script: string) =>
  (
    await silentContext.connections.get(sshd.connection()).run(script, { step: "a test", signal: silentContext.signal })
  ).stdout.trim();
const installed = (name: string) => on(`dpkg-query -Wf '\${db:Status-Status}' ${name} 2>/dev/null || true`);
const RELEASE = "/tmp/give-back";

beforeAll(async () => {
  if (process.env.CI === "true") expect(missing).toBe("");
  if (missing) return;
  const slow = {
    name: "kubewright-slow",
    postinst: `[ "$1" != configure ] || until [ -e ${RELEASE} ]; do sleep 0.1; done`,
  };
  sshd = await startDebianLike([slow, ...["one", "two", "three"].map((name) => ({ name: `kubewright-${name}` }))]);
});
beforeEach(({ skip }) => skip(missing !== "", missing));
afterAll(async () => {
  if (missing) return;
  silentContext.connections.get(sshd.connection()).close();
  await sshd.stop();
});

/** Waits for a status that reports a lock, then releases the lock. */
function givingBack(said: string[]) {
  return {
    ...silentContext,
    status: (message: string) => {
      said.push(message);
      if (message.startsWith("waiting: ")) void on(`touch ${RELEASE}`);
    },
  };
}

/** Runs in the background until `RELEASE` exists or the machine ends. */
async function holding(command: string, held: string): Promise<void> {
  await on(
    `rm -f ${RELEASE}; (${command}) </dev/null >/dev/null 2>&1 &
for try in $(seq 300); do ${held} && exit 0; sleep 0.1; done; exit 1`,
  );
}

test("waits for a running installation, and reports it", async () => {
  await holding(`dpkg -i ${archiveOf(sshd, "kubewright-slow")}`, "pgrep -f kubewright-slow.postinst");
  const said: string[] = [];
  await packagesResource.create(givingBack(said), ask("kubewright-one"));
  expect(said.find((message) => message.startsWith("waiting: "))).toContain("locked by another process");
  expect(await installed("kubewright-one")).toBe("installed");
  expect(await installed("kubewright-slow")).toBe("installed");
});

/** Takes a lock of fcntl(2), which shells cannot: struct flock of 64-bit Linux. */
const lockLists = `perl -e '
use Fcntl;
open(my $f, ">>", "/var/lib/apt/lists/lock");
my $lock = pack("s s x4 q q i x4", F_WRLCK, 0, 0, 0, 0);
fcntl($f, F_SETLKW, $lock) or die;
open(my $h, ">", "/tmp/held");
close($h);
select(undef, undef, undef, 0.1) until -e "${RELEASE}"'`;

test("waits for an update of apt's lists, which apt itself does not", async () => {
  await holding(lockLists, "[ -e /tmp/held ]");
  const said: string[] = [];
  await packagesResource.create(givingBack(said), ask("kubewright-two"));
  expect(said.find((message) => message.startsWith("waiting: "))).toContain("/var/lib/apt/lists");
  expect(await installed("kubewright-two")).toBe("installed");
});

test("gives up on a lock that is never released, and reports its holder", async () => {
  await on("rm -f /tmp/held");
  await holding(lockLists, "[ -e /tmp/held ]");
  const impatient = testContext({}, { patience: 0.01 });
  await expect(packagesResource.create(impatient, ask("kubewright-three"))).rejects.toThrow(
    /installing packages failed .*lists\/lock.*held by process \d+.*is still held: check what that process does/s,
  );
  impatient.connections.closeAll();
  await on(`touch ${RELEASE}`);
  await packagesResource.create(silentContext, ask("kubewright-three"));
  expect(await installed("kubewright-three")).toBe("installed");
});

test("names a package that no repository has, and what to do", async () => {
  await expect(packagesResource.create(silentContext, ask("kubewright-none"))).rejects.toThrow(
    /installing packages failed on debian .*kubewright-none.*; install kubewright-none manually, or configure a/s,
  );
});
