import { expect, test } from "vitest";
import { serverOf, withServer } from "../../../render/kubeconfig-server";

const kubeconfig = (server: string) => `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: AAAA
    server: ${server}
  name: kubernetes
kind: Config
`;

test("the address is read without its scheme", () => {
  expect(serverOf(kubeconfig("https://10.0.0.1:6443"))).toBe("10.0.0.1:6443");
  expect(serverOf(kubeconfig('"https://[fd00::1]:6443"'))).toBe("[fd00::1]:6443");
  expect(serverOf("kind: Config\n")).toBeUndefined();
});

test("only the address changes", () => {
  const changed = withServer(kubeconfig("https://10.0.0.1:6443"), "api.dev.internal:7443");
  expect(changed).toBe(kubeconfig("https://api.dev.internal:7443"));
});

test("the first field of a cluster may be its address", () => {
  const first = "clusters:\n- cluster:\n    server: https://a:1\n- server: https://b:2\n";
  expect(withServer(first, "c:3")).toBe("clusters:\n- cluster:\n    server: https://c:3\n- server: https://c:3\n");
});
