import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { closingTable } from "../../../../cli/nodes/closing-table";

const folder = mkdtempSync(join(tmpdir(), "kubewright-nodes-"));
const kubeconfig = join(folder, "kubeconfig");
writeFileSync(kubeconfig, "");
afterAll(() => rmSync(folder, { recursive: true }));

/** A kubectl that runs a script. */
function kubectl(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}
const shown = (kubectlPath: string, kubeconfigPath = kubeconfig) =>
  closingTable({
    kubectlPath: { value: kubectlPath, secret: false },
    kubeconfigPath: { value: kubeconfigPath, secret: false },
  });

test("shows the output of kubectl get nodes", async () => {
  expect(await shown(kubectl("good", 'echo "$@"'))).toBe(
    `--kubeconfig ${kubeconfig} get nodes -o wide --request-timeout 20s`,
  );
});

test("reports an API server that cannot be reached from this computer, without an error", async () => {
  const away = kubectl(
    "away",
    "echo memcache.go: noise >&2; echo 'Unable to connect to the server: no route to host' >&2; exit 1",
  );
  expect(await shown(away)).toBe(
    `The nodes cannot be listed: Unable to connect to the server: no route to host; ` +
      `check that this computer reaches the address in ${kubeconfig}`,
  );
});

test("shows nothing without a cluster", async () => {
  expect(await shown("kubectl", join(folder, "none"))).toBeUndefined();
});
