import { expect, test } from "vitest";
import type { KubeApi } from "../../../../provider/kube/api";
import { parseAuthorities, requireNewTokens, trustsPrevious } from "../../../../cli/rotation/plan-rotation";
import { ScriptedMachine } from "../../../support/scripted-machine";

const pem = (text: string) => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
const [OLD, NEW, FOREIGN] = [pem("old"), pem("new"), pem("foreign")];
const signal = new AbortController().signal;

test("--only names some of the CAs, in their own order", () => {
  expect(parseAuthorities(undefined)).toHaveLength(4);
  expect(parseAuthorities("etcd, cluster")).toEqual(["cluster", "etcd"]);
  expect(() => parseAuthorities("etcd,kubelet")).toThrow("there is no CA named kubelet; use one or more of cluster,");
});

test("webhooks are named that trust the present CA, and later those that lack the new one", () => {
  const webhook = (bundle: string) => ({
    webhooks: [{ clientConfig: { caBundle: Buffer.from(bundle).toString("base64") } }],
  });
  expect(trustsPrevious(webhook(OLD), OLD, "trust")).toBe(true);
  expect(trustsPrevious(webhook(FOREIGN), OLD, "trust")).toBe(false);
  expect(trustsPrevious(webhook(OLD), OLD + NEW, "reissue")).toBe(true);
  expect(trustsPrevious(webhook(OLD + NEW), OLD + NEW, "reissue")).toBe(false);
  expect(trustsPrevious({ webhooks: [] }, OLD, "trust")).toBe(false);
});

test("the previous key is kept for an hour, unless all pods have started since", async () => {
  const since = Date.UTC(2026, 10, 27);
  const signedSince = new Date(since).toISOString();
  const check = async (minutes: number, created: number) => {
    const clock = new ScriptedMachine(() => ({ stdout: String(since / 1_000 + minutes * 60) })).remote;
    const volumes = [{ name: "a", projected: { sources: [{ serviceAccountToken: { path: "token" } }] } }];
    const metadata = { name: "web", namespace: "shop", creationTimestamp: new Date(since + created * 60_000) };
    const core = { listPodForAllNamespaces: async () => ({ items: [{ metadata, spec: { volumes } }] }) };
    const record = { id: "r", authorities: [], phase: "reissue" as const, isDone: true, signedSince };
    await requireNewTokens({ core } as unknown as KubeApi, [clock], record, signal);
  };
  await expect(check(30, -5)).rejects.toThrow(
    /shop\/web; run the command again after 2026-11-27T01:05:00.000Z, or restart these pods/,
  );
  await expect(check(30, 5)).resolves.toBeUndefined();
  await expect(check(66, -5)).resolves.toBeUndefined();
});
