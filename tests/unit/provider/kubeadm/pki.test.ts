import "reflect-metadata";
import { beforeAll, expect, test } from "vitest";
import { copyControlPlanePki, copyFormerAuthorities } from "../../../../provider/kubeadm/pki";
import { caCertHash } from "../../../../provider/pki/ca-cert-hash";
import { createAuthority } from "../../../../provider/pki/x509";
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

let authority: string;
beforeAll(async () => void (authority = (await createAuthority("kubernetes", 10)).certificate));

const encode = (text: string) => Buffer.from(text).toString("base64");

/** A control plane that has these files. */
function source(name: string, files: readonly string[] = FILES) {
  const content = (file: string) => (file === "ca.crt" ? authority : file);
  const stdout = files.map((file) => `${encode(content(file))} /etc/kubernetes/pki/${file}`).join("\n");
  return Object.assign(new ScriptedMachine(() => ({ stdout }), name), { stdout });
}

async function copy(sources: readonly ScriptedMachine[], caHash = caCertHash(authority)) {
  const target = new ScriptedMachine(() => ({}), "cp-9");
  const context = testContext();
  context.connections.get = ({ host }): Remote => sources[Number(host)]!.remote;
  const from = sources.map((_, index) => connectionTo({ host: String(index) }));
  await copyControlPlanePki(context, { from, to: target.remote, caCertHash: caHash });
  return target;
}

test("the shared keys are read from a control plane and sent to the new one", async () => {
  const target = await copy([source("cp-1")]);
  const sent = target.scripts.join("\n");
  for (const name of FILES) expect(sent).toContain(`/etc/kubernetes/pki/${name}`);
});

test("a control plane that lacks a key or does not answer is passed over", async () => {
  const dead = new ScriptedMachine(() => new Error("no route"), "cp-1");
  const incomplete = source("cp-2", ["ca.crt"]);
  const target = await copy([dead, incomplete, source("cp-3")]);
  expect(target.scripts).not.toEqual([]);
});

test("without a usable control plane all causes are reported", async () => {
  const sources = [
    source(
      "cp-1",
      FILES.filter((name) => name !== "sa.key"),
    ),
    source("cp-2", []),
  ];
  await expect(copy(sources)).rejects.toThrow(
    /cp-9: cp-1: \/etc\/kubernetes\/pki\/sa\.key does not exist; cp-2: .*ca\.crt does not exist; start another/,
  );
});

test("keys of another cluster are not copied", async () => {
  await expect(copy([source("cp-1")], "sha256:other")).rejects.toThrow("ca.crt belongs to another cluster");
});

test("without another control plane there is nothing to copy from", async () => {
  await expect(copy([])).rejects.toThrow("failed on cp-9: the cluster has no other control plane");
});

test("after a rotation, a control plane with another CA gives its files, and the former CAs", async () => {
  const former = `${caCertHash((await createAuthority("kubernetes", 10)).certificate)}\n`;
  const path = "/etc/kubernetes/pki/former-authorities";
  const files = source("cp-1");
  const rotated = new ScriptedMachine(() => ({ stdout: `${files.stdout}\n${encode(former)} ${path}` }), "cp-1");
  const target = await copy([rotated], former.trim());
  expect(target.scripts.join("\n")).toContain(path);
  await expect(copy([rotated], "sha256:other")).rejects.toThrow("belongs to another cluster");
});

test("a worker learns the former CAs before it joins; without a rotation nothing is written", async () => {
  const path = "/etc/kubernetes/pki/former-authorities";
  const context = testContext();
  const learn = async (stdout: string) => {
    const target = new ScriptedMachine(() => ({}), "worker-1");
    const dead = new ScriptedMachine(() => new Error("no route"), "cp-1");
    const sources = [dead, new ScriptedMachine(() => ({ stdout }), "cp-2")];
    context.connections.get = ({ host }): Remote => sources[Number(host)]!.remote;
    const from = sources.map((_, index) => connectionTo({ host: String(index) }));
    await copyFormerAuthorities(context, { from, to: target.remote });
    return target.scripts.join("\n");
  };
  expect(await learn(`${encode("sha256:1\n")} ${path}`)).toContain(path);
  expect(await learn("")).toBe("");
});
