import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { hostResource } from "../../../provider/resources/host";
import type { Handler } from "../../../provider/rpc/handler";
import type { Contract } from "../../../contracts/contract";
import type { Connection } from "../../../contracts/connection";
import { startSshd, type Sshd } from "../../support/sshd";
import { context } from "../docker/support";
import { silentContext } from "../../support/context";

/** A machine with a fake cloud-init, which waits for a file and prints its content. */
const STAND_IN = `#!/bin/sh
[ "$*" = "status --wait --long" ] || exit 64
until [ -e "$0.said" ]; do printf .; sleep 0.05; done
echo
cat "$0.said"
exit "$(cat "$0.code")"
`;
const host = hostResource as unknown as Required<
  Handler<Contract, { connection: Connection; bootTimeout?: number }, Record<string, unknown>>
>;
let folder: string;
let sshd: Sshd;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kubewright-cloud-init-"));
  await writeFile(join(folder, "cloud-init"), STAND_IN);
  await chmod(join(folder, "cloud-init"), 0o755);
  sshd = await startSshd({ environment: { PATH: `${folder}:/usr/sbin:/usr/bin:/sbin:/bin` } });
}, 60_000);
afterAll(async () => {
  silentContext.connections.closeAll();
  await sshd.stop();
  await rm(folder, { recursive: true, force: true });
});

async function ends(code: number, said: string): Promise<void> {
  await writeFile(join(folder, "cloud-init.code"), String(code));
  await writeFile(join(folder, "cloud-init.said"), said);
}

test("reads a machine only after cloud-init has ended", async () => {
  const created = context("machine-host");
  let done = false;
  const creating = host.create(created, { connection: sshd.connection() }).then((made) => ((done = true), made));
  await expect.poll(() => created.said, { timeout: 20_000 }).toContain("waiting for cloud-init");
  expect(done).toBe(false);
  await ends(0, "status: done\n");
  expect((await creating).outputs.instance).toMatch(/^\S+$/);
});

test("reports a failure of cloud-init with its log, and what to do", async () => {
  await ends(1, "status: error\ndetail: ('scripts_user', ProcessExecutionError)\n");
  const failing = host.create(context("machine-host"), { connection: sshd.connection() });
  await expect(failing).rejects.toThrow(
    /cloud-init failed on sshd .*: it reports:\nstatus: error\ndetail: \('scripts_user'.*; fix the user data/s,
  );
});

test("recognizes errors of old versions by their text", async () => {
  await ends(0, "status: error\n");
  await expect(host.create(context("machine-host"), { connection: sshd.connection() })).rejects.toThrow(
    /cloud-init failed/,
  );
});

test("reports recoverable errors as a warning", async () => {
  await ends(2, "status: done\nextended_status: degraded done\n");
  const created = context("machine-host");
  await host.create(created, { connection: sshd.connection() });
  expect(created.said.join("\n")).toContain(
    "cloud-init ended with errors: status: done\nextended_status: degraded done",
  );
});
