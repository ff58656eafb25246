import { expect, test } from "vitest";
import { KubeconfigDocument } from "../../../../provider/kube/kubeconfig-document";
import { hashEntries, readAdminEntries } from "../../../../provider/kube/kubeconfig-merge";

const NAMES = { cluster: "c", user: "u", context: "x" };

function hashOf(cluster: string): string | undefined {
  const text = `kind: Config
clusters: [{name: c, cluster: ${cluster}}]
users: [{name: u, user: {token: t}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
`;
  return hashEntries(KubeconfigDocument.parse(text)!, NAMES);
}

test("the hash of entries does not depend on the order of their properties", () => {
  const hash = hashOf("{server: s, tls-server-name: n}");
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  expect(hashOf("{tls-server-name: n, server: s}")).toBe(hash);
  expect(hashOf("{tls-server-name: n, server: other}")).not.toBe(hash);
});

test("missing entries have no hash", () => {
  expect(hashEntries(KubeconfigDocument.parse("kind: Config")!, NAMES)).toBeUndefined();
});

test("a control plane's kubeconfig without a current context is an error", () => {
  expect(() => readAdminEntries("kind: Config\n")).toThrow(
    /has no current context; restore it with `kubeadm init phase/,
  );
});
