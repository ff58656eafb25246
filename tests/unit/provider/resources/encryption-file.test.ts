import { afterEach, describe, expect, test, vi } from "vitest";
import { encryptionFileResource as resource } from "../../../../provider/resources/encryption-file";
import {
  ENCRYPTION_FILE,
  type EncryptionKey,
  readingConfiguration,
  writingConfiguration,
} from "../../../../render/encryption";
import { sha256 } from "../../../../provider/host/files";
import type { KubeClients } from "../../../../provider/kube/clients";
import { MemoryMachine } from "../../../support/memory-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/instant-time"));
afterEach(() => void vi.useRealTimers());

const MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml";
const key = (name: string): EncryptionKey => ({ name, provider: "secretbox", secret: `${name} secret` });
const one = { provider: "secretbox" as const, keys: [key("key1")] };
const two = { provider: "secretbox" as const, keys: [key("key2"), key("key1")] };

function machineWith(manifest?: string, configuration?: string): MemoryMachine {
  const machine = new MemoryMachine();
  if (manifest !== undefined) machine.files.set(MANIFEST, { content: manifest, mode: "0600" });
  if (configuration !== undefined) machine.files.set(ENCRYPTION_FILE, { content: configuration, mode: "0600" });
  return machine;
}

/** Creates the resource beside an API server that reads the file. @returns the requests to the API server */
async function apply(machine: MemoryMachine, set: object): Promise<number> {
  let requests = 0;
  const readText = () => {
    requests++;
    const text = machine.files.get(ENCRYPTION_FILE)?.content ?? "";
    return Promise.resolve(`apiserver_encryption_config_controller_last_config_info{hash="sha256:${sha256(text)}"} 1`);
  };
  const context = machine.context({ kube: { readText } as unknown as KubeClients });
  await resource.create(context, { ...machine.target, ...set });
  return requests;
}

const fileOf = (machine: MemoryMachine) => machine.files.get(ENCRYPTION_FILE);

describe("the keys of a control plane", () => {
  test("are there before its API server starts for the first time, and only root may read them", async () => {
    const machine = machineWith();
    expect(await apply(machine, one)).toBe(0);
    expect(fileOf(machine)).toEqual({ content: writingConfiguration(one), mode: "0600" });
  });

  test("are first only for reading where an API server runs without encryption", async () => {
    const machine = machineWith("- --v=2\n");
    expect(await apply(machine, one)).toBe(0);
    expect(fileOf(machine)?.content).toBe(readingConfiguration(one));
  });

  test("are first only for reading where an API server has other keys, which must have read them", async () => {
    const current = writingConfiguration(one);
    const machine = machineWith(`- --encryption-provider-config=${ENCRYPTION_FILE}\n`, current);
    expect(await apply(machine, two)).toBe(1);
    expect(fileOf(machine)?.content).toBe(readingConfiguration(two, current));
  });

  test("stay in the order in which they are used", async () => {
    const current = readingConfiguration(two, writingConfiguration(one));
    const machine = machineWith(`- --encryption-provider-config=${ENCRYPTION_FILE}\n`, current);
    expect(await apply(machine, two)).toBe(0);
    expect(fileOf(machine)?.content).toBe(current);
  });
});

test("keys that the API server does not read are taken back", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const current = writingConfiguration(one);
  const machine = machineWith(`- --encryption-provider-config=${ENCRYPTION_FILE}\n`, current);
  const readText = () => Promise.resolve('last_config_info{hash="sha256:another"} 1');
  const context = machine.context({ kube: { readText } as unknown as KubeClients });
  await expect(resource.create(context, { ...machine.target, ...two })).rejects.toThrow(/has not read its encryption/);
  expect(fileOf(machine)?.content).toBe(current);
});

describe("a refresh", () => {
  const read = async (machine: MemoryMachine) =>
    await resource.read?.(machine.context(), "a1/encryption", { inputs: { ...machine.target, ...two }, outputs: {} });

  test("finds a file that lacks a key", async () => {
    expect(await read(machineWith("", writingConfiguration(one)))).toMatchObject({ inputs: { keys: one.keys } });
    expect(await read(machineWith("", writingConfiguration(two)))).toMatchObject({ inputs: { keys: two.keys } });
  });

  test("finds that the file is gone", async () => {
    expect(await read(machineWith(""))).toBeUndefined();
  });
});

test("an API server keeps the file that it uses", async () => {
  const machine = machineWith(`- --encryption-provider-config=${ENCRYPTION_FILE}\n`, writingConfiguration(one));
  const recorded = { inputs: { ...machine.target, ...one }, outputs: {} };
  await resource.delete?.(machine.context(), "a1/encryption", recorded);
  expect(fileOf(machine)).toBeDefined();
  machine.files.delete(MANIFEST);
  await resource.delete?.(machine.context(), "a1/encryption", recorded);
  expect(fileOf(machine)).toBeUndefined();
});
