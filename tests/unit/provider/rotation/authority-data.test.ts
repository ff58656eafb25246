import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { authorityDataScript, withAuthorityData } from "../../../../provider/rotation/authority-data";

const kubeconfig = (data: string) => `apiVersion: v1
clusters:
- cluster:
    certificate-authority-data: ${Buffer.from(data).toString("base64")}
    server: https://10.0.0.1:6443
  name: kubernetes
users:
- name: kubernetes-admin
  user:
    client-key-data: secret
`;

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "authority-data-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("a kubeconfig gets a bundle, and its other lines stay", () => {
  expect(withAuthorityData(kubeconfig("one"), "one\ntwo\n")).toBe(kubeconfig("one\ntwo\n"));
});

test("the script does the same on the machine, twice too, and skips files that do not exist", () => {
  const [bundle, file] = [join(folder, "ca.crt"), join(folder, "admin.conf")];
  const text = `${"certificate & more/\n".repeat(80)}`;
  writeFileSync(bundle, text);
  writeFileSync(file, kubeconfig("one"), { mode: 0o600 });
  const script = `set -e\n${authorityDataScript([file, join(folder, "super-admin.conf")], bundle)}`;
  for (const _ of [1, 2]) execFileSync("sh", ["-c", script]);
  expect(readFileSync(file, "utf8")).toBe(kubeconfig(text));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder).sort()).toEqual(["admin.conf", "ca.crt"]);
});
