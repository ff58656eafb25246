import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { nodeTable } from "../../../../cli/nodes/node-table";

const folder = mkdtempSync(join(tmpdir(), "kubewright-nodes-"));
const kubeconfig = join(folder, "kubeconfig");
writeFileSync(kubeconfig, "");
afterAll(() => rmSync(folder, { recursive: true }));

/** A kubectl that does as it is told. */
function kubectl(name: string, script: string): string {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}
const shown = (kubectlPath: string, kubeconfigPath = kubeconfig) =>
  nodeTable({
    kubectlPath: { value: kubectlPath, secret: false },
    kubeconfigPath: { value: kubeconfigPath, secret: false },
  });

test("the nodes are what kubectl shows", async () => {
  expect(await shown(kubectl("good", 'echo "$@"'))).toBe(
    `--kubeconfig ${kubeconfig} get nodes -o wide --request-timeout 20s`,
  );
});

test("an API server that cannot be reached from here is said, and fails nothing", async () => {
  const away = kubectl(
    "away",
    "echo memcache.go: noise >&2; echo 'Unable to connect to the server: no route to host' >&2; exit 1",
  );
  expect(await shown(away)).toBe(
    `The nodes cannot be shown: Unable to connect to the server: no route to host; is the address in ${kubeconfig} one that this computer reaches?`,
  );
});

test("without a cluster there is nothing to show", async () => {
  expect(await shown("kubectl", join(folder, "none"))).toBeUndefined();
});
