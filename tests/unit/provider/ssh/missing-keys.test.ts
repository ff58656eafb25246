import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { sshKeyResource } from "../../../../provider/resources/ssh-key";
import type { Connections } from "../../../../provider/ssh/connections";
import { ConnectionError } from "../../../../provider/ssh/errors";
import { newKeyPair } from "../../../../provider/ssh/key-pair";
import { testContext } from "../../../support/context";
import { InMemorySsh } from "../../../support/in-memory-ssh";

const { signal } = new AbortController();
const KEY = ".kubewright/dev/id_ed25519";
let project: string;
let server: InMemorySsh;
beforeEach(() => {
  project = mkdtempSync(join(tmpdir(), "kubewright-missing-keys-"));
  vi.stubEnv("KUBEWRIGHT_PROJECT", project);
  server = new InMemorySsh();
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(project, { recursive: true });
});

/** The machine, with a key of the state whose file is not on this computer. */
function machineOf(pool: Connections) {
  const { privateKey: _, ...rest } = server.connection();
  return pool.get({ ...rest, privateKeyPath: KEY });
}

test("a refresh that reads a machine before its key is written logs in with the key of the state", async () => {
  const pool = server.pool();
  const { private: privateKey, public: publicKey } = newKeyPair("lab");
  const reading = machineOf(pool).run("x", { step: "a test", signal });
  const old = { inputs: { path: KEY, comment: "lab" }, outputs: { privateKey, publicKey } };
  expect(await sshKeyResource.read!(testContext(), KEY, old)).toEqual(old);
  await expect(reading).resolves.toMatchObject({ code: 0 });
  pool.closeAll();
});

test("a key that is not written is named, once the wait for it ends; the next login does not wait", async () => {
  const pool = server.pool({ patience: 0.1 });
  const login = () => machineOf(pool).machineId(signal);
  const file = join(project, KEY);
  for (const limit of [5_000, 200]) {
    const start = Date.now();
    await expect(login()).rejects.toMatchObject({
      kind: "refused",
      message: expect.stringContaining(`the private key ${file} is not on this computer; copy the key there`) as string,
    });
    expect(Date.now() - start).toBeLessThan(limit);
  }
  pool.closeAll();
});

test("another run finds a key that was written since", async () => {
  const pool = server.pool({ patience: 0.01 });
  const machine = machineOf(pool);
  await expect(machine.run("x", { step: "a test", signal })).rejects.toThrow(ConnectionError);
  mkdirSync(dirname(join(project, KEY)), { recursive: true });
  writeFileSync(join(project, KEY), newKeyPair("lab").private);
  pool.forgetFailures();
  await expect(machine.run("x", { step: "a test", signal })).resolves.toMatchObject({ code: 0 });
  pool.closeAll();
});
