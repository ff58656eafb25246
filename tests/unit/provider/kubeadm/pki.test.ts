import { expect, test } from "vitest";
import { copyControlPlanePki } from "../../../../provider/kubeadm/pki";
import type { Remote } from "../../../../provider/ssh/remote";
import { testContext } from "../../../support/context";
import { ScriptedMachine } from "../../../support/scripted-machine";
import { connectionTo } from "../../../support/connection";

const FILES = [
  "ca.crt",
  "ca.key",
  "sa.pub",
  "sa.key",
  "front-proxy-ca.crt",
  "front-proxy-ca.key",
  "etcd/ca.crt",
  "etcd/ca.key",
];

async function copy(files: readonly string[], hasSource = true) {
  const encode = (text: string) => Buffer.from(text).toString("base64");
  const stdout = files.map((name) => `${encode(name)} /etc/kubernetes/pki/${name}`).join("\n");
  const source = new ScriptedMachine(() => ({ stdout }), "cp-1");
  const target = new ScriptedMachine(() => ({}), "cp-2");
  const context = testContext();
  context.connections.get = (): Remote => source.remote;
  await copyControlPlanePki(context, hasSource ? [connectionTo({ host: "cp-1" })] : [], target.remote);
  return target;
}

test("the shared keys are read from the first control plane and sent to the new one", async () => {
  const target = await copy(FILES);
  const sent = target.scripts.join("\n");
  for (const name of FILES) expect(sent).toContain(`/etc/kubernetes/pki/${name}`);
});

test("a missing key is an error that names the file and the machine", async () => {
  await expect(copy(FILES.filter((name) => name !== "sa.key"))).rejects.toThrow(
    /failed on cp-1: \/etc\/kubernetes\/pki\/sa\.key does not exist; restore the file from a backup/,
  );
});

test("without another control plane there is nothing to copy from", async () => {
  await expect(copy(FILES, false)).rejects.toThrow("failed on cp-2: the cluster has no other control plane");
});
