import "reflect-metadata";
import { createPublicKey } from "node:crypto";
import { expect, test } from "vitest";
import { createAuthority, createKeyPair, keysOf } from "../../../../provider/pki/x509";
import { prepareMaterials } from "../../../../provider/rotation/materials";
import { AUTHORITY } from "../../../../provider/rotation/phases";
import type { Remote } from "../../../../provider/ssh/remote";
import type { CertificateKeys } from "../../../../render/kubeadm-types";
import { MemoryMachine } from "../../../support/memory-machine";

/** A CA, and a key pair without a certificate. Not all, because RSA keys take long to create. */
const NAMES = ["cluster", "service-account"] as const;
const signal = new AbortController().signal;

/** A control plane whose authorities have keys of an algorithm. */
async function controlPlane(keys: CertificateKeys): Promise<MemoryMachine> {
  const machine = new MemoryMachine();
  machine.on(
    /^\[ -s \S+ \] && cat (\S+)$/,
    (script) => machine.files.get(script.split(" ").at(-1) ?? "")?.content ?? "",
  );
  for (const name of NAMES) {
    const { commonName, certificate } = AUTHORITY[name];
    const pem =
      commonName === undefined
        ? (await createKeyPair(keys)).publicKey
        : (await createAuthority(commonName, 10, keys)).certificate;
    machine.files.set(certificate, { content: pem, mode: "0644" });
  }
  return machine;
}

async function prepare(machine: MemoryMachine, keys?: CertificateKeys): Promise<string[]> {
  const successions = await prepareMaterials([machine as unknown as Remote], NAMES, signal, keys);
  return NAMES.map((name) => keysOf(successions.get(name)?.next ?? ""));
}

const all = (keys: CertificateKeys) => NAMES.map(() => keys);

test.each(["RSA-2048", "ECDSA-P256"] as const)("without a setting, %s is kept", async (keys) => {
  expect(await prepare(await controlPlane(keys))).toEqual(all(keys));
});

test("the setting decides, and the private keys on the machine are of the same algorithm", async () => {
  const machine = await controlPlane("ECDSA-P256");
  expect(await prepare(machine, "RSA-2048")).toEqual(all("RSA-2048"));
  for (const name of NAMES) {
    const key = machine.files.get(`/var/lib/kubewright/ca-rotation/${name}/next.key`)?.content ?? "";
    expect(createPublicKey(key).asymmetricKeyType).toBe("rsa");
  }
});

test("a run that continues uses the keys that the killed one has created, whatever the setting", async () => {
  const machine = await controlPlane("ECDSA-P256");
  await prepare(machine, "RSA-2048");
  expect(await prepare(machine, "ECDSA-P256")).toEqual(all("RSA-2048"));
});

test("a file without PEM is refused", async () => {
  const machine = await controlPlane("ECDSA-P256");
  machine.files.set(AUTHORITY["service-account"].certificate, { content: "x", mode: "0600" });
  await expect(prepare(machine)).rejects.toThrow(
    "sa.pub contains no PEM, so the key of the service accounts is not known",
  );
});
