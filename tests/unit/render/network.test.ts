import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { corednsPatch } from "../../../render/coredns";
import { type FlannelOptions, flannelManifests } from "../../../render/flannel";
import { template } from "../../../render/template";
import { golden } from "./samples";

function flannel(changes: Partial<FlannelOptions> = {}): string {
  const manifests = flannelManifests({
    podCidr: "10.244.0.0/16",
    image: "docker.io/flannel/flannel:v0.26.7",
    imagePullPolicy: "IfNotPresent",
    proxyMode: "nftables",
    apiServer: { host: "10.77.0.21", port: 6443 },
    ...changes,
  });
  return manifests.map((manifest) => stringify(manifest, { lineWidth: 0 })).join("---\n");
}

describe("flannel", () => {
  test("host-gw with nftables", async () => {
    await expect(flannel()).toMatchFileSnapshot(golden("flannel/host-gw.yaml"));
  });

  test("vxlan with iptables and a side-loaded image", async () => {
    await expect(flannel({ backend: "vxlan", proxyMode: "iptables", imagePullPolicy: "Never" })).toMatchFileSnapshot(
      golden("flannel/vxlan.yaml"),
    );
  });

  test("a changed configuration changes the pod", () => {
    const hash = (text: string): string | undefined => /kubewright\.dev\/config: (\S+)/.exec(text)?.[1];
    expect(hash(flannel())).toMatch(/^"?[0-9a-f]{16}"?$/);
    expect(hash(flannel({ backend: "vxlan" }))).not.toBe(hash(flannel()));
    expect(hash(flannel())).toBe(hash(flannel()));
  });

  test("its script waits for flanneld, passes its arguments and writes the node's CNI configuration", () => {
    const folder = mkdtempSync(join(tmpdir(), "flannel-"));
    try {
      // A fake flanneld: fails once, as it does while the node has no podCIDR, then writes its subnet file.
      writeFileSync(
        join(folder, "flanneld"),
        `#!/bin/sh
echo "$@" >> ${folder}/calls
[ "$(wc -l < ${folder}/calls)" = 1 ] && exit 1
printf 'FLANNEL_NETWORK=10.244.0.0/16\\nFLANNEL_SUBNET=10.244.3.1/24\\nFLANNEL_MTU=1450\\n' > ${folder}/subnet.env
`,
        { mode: 0o755 },
      );
      const script = template("flannel/run.sh")
        .replaceAll("/opt/bin/flanneld", `${folder}/flanneld`)
        .replaceAll("/run/flannel", folder)
        .replaceAll("/etc/cni/net.d", folder);
      execFileSync("sh", ["-c", script, "run.sh", "--iface=10.77.0.22"], { timeout: 10_000 });
      expect(readFileSync(join(folder, "calls"), "utf8")).toBe(
        "--ip-masq --kube-subnet-mgr --iface=10.77.0.22\n".repeat(2),
      );
      const conflist: unknown = JSON.parse(readFileSync(join(folder, "10-flannel.conflist"), "utf8"));
      expect(conflist).toMatchObject({
        plugins: [
          { mtu: 1450, ipam: { ranges: [[{ subnet: "10.244.3.0/24" }]], routes: [{ dst: "10.244.0.0/16" }] } },
          { type: "portmap" },
        ],
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test("CoreDNS is probed every second", async () => {
  await expect(stringify(corednsPatch({ nodes: 3 }))).toMatchFileSnapshot(golden("coredns-patch.yaml"));
});
