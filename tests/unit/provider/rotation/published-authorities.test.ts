import { expect, test, vi } from "vitest";
import type { KubeApi } from "../../../../provider/kube/api";
import {
  namespacesWithout,
  publishClusterInfo,
  waitUntilPublished,
} from "../../../../provider/rotation/published-authorities";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/instant-time"));

const pem = (text: string) => `-----BEGIN CERTIFICATE-----\n${text}\n-----END CERTIFICATE-----\n`;
const [OLD, NEW] = [pem("old"), pem("new")];
const signal = new AbortController().signal;
const map = (namespace: string, bundle: string) => ({ metadata: { namespace }, data: { "ca.crt": bundle } });

test("a namespace is current with exactly the CAs of the phase, in their order", () => {
  const maps = [map("a", OLD + NEW), map("b", OLD), map("c", NEW + OLD), map("d", `${OLD.trim()}\n\n${NEW.trim()}`)];
  expect(namespacesWithout(OLD + NEW, maps)).toEqual(["b", "c"]);
});

test("cluster-info gets the CAs, and is written only when they differ", async () => {
  const kubeconfig = (bundle: string) =>
    `clusters:\n- cluster:\n    certificate-authority-data: ${Buffer.from(bundle).toString("base64")}\n`;
  let stored = kubeconfig(OLD);
  const patch = vi.fn(async ({ body }: { body: { data: { kubeconfig: string } } }) => {
    stored = body.data.kubeconfig;
  });
  const core = {
    readNamespacedConfigMap: async () => ({ data: { kubeconfig: stored } }),
    patchNamespacedConfigMap: patch,
  };
  for (const _ of [1, 2]) await publishClusterInfo({ core } as unknown as KubeApi, OLD + NEW, signal);
  expect(stored).toBe(kubeconfig(OLD + NEW));
  expect(patch).toHaveBeenCalledTimes(1);
});

test("it waits for all namespaces, and names those that stay behind", async () => {
  let reads = 0;
  const list = async () => ({ items: [map("a", OLD + NEW), map("b", ++reads > 2 ? OLD + NEW : OLD)] });
  const api = { core: { listConfigMapForAllNamespaces: list }, patience: 1 } as unknown as KubeApi;
  await waitUntilPublished(api, OLD + NEW, { signal, status: () => undefined });
  expect(reads).toBe(3);
  const never = { core: { listConfigMapForAllNamespaces: async () => ({ items: [map("b", OLD)] }) }, patience: 0.0001 };
  await expect(
    waitUntilPublished(never as unknown as KubeApi, OLD + NEW, { signal, status: () => undefined }),
  ).rejects.toThrow(/in b; see the log of kube-controller-manager/);
});
