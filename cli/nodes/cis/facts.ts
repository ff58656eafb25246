import { parse } from "yaml";
import { z } from "zod";
import { parseJson } from "../../../common/json";
import { optional } from "../../../common/optional";
import { quote } from "../../../common/quote";
import { ENCRYPTION_FILE } from "../../../render/encryption";
import { COMPONENTS, type Component, readManifestTexts } from "../../../provider/kubeadm/manifest-texts";
import type { Remote } from "../../../provider/ssh/remote";

/** A file or folder on a machine. */
export interface FileFacts {
  path: string;
  /** Octal: `600`. */
  mode: string;
  /** `root:root` */
  owner: string;
}

/** What the CIS Benchmark asks of one machine. */
export interface MachineFacts {
  name: string;
  isControlPlane: boolean;
  /** Flags of the components of the control plane, without leading dashes. */
  flags: Partial<Record<Component, Readonly<Record<string, string>>>>;
  files: readonly FileFacts[];
  /** The kubelet's configuration, as it uses it. */
  kubelet: Readonly<Record<string, unknown>>;
  /** The provider by which the API server encrypts Secrets: `secretbox`; absent if it has no configuration. */
  encryption?: string;
}

/** Files and folders whose mode and owner are read. */
const PATHS = [
  "/etc/kubernetes/manifests/*.yaml",
  "/etc/kubernetes/*.conf",
  "/etc/kubernetes/pki/*",
  "/etc/kubernetes/pki/etcd/*",
  "/var/lib/kubelet/config.yaml",
  "/var/lib/kubelet/kubeadm-flags.env",
  "/etc/kubernetes/kubelet.conf.d/*",
  "/etc/systemd/system/kubelet.service",
  "/etc/cni/net.d/*",
  "/var/lib/etcd",
  "/var/lib/etcd/member",
  ENCRYPTION_FILE,
];

const podSchema = z.object({
  spec: z.object({ containers: z.array(z.object({ command: z.array(z.string()).default([]) })) }),
});

/** Returns the flags of a static pod. */
export function flagsOf(manifest: string): Record<string, string> {
  const pod = podSchema.safeParse(parse(manifest)).data;
  const words = pod?.spec.containers[0]?.command ?? [];
  const flags = words.flatMap((word): [string, string][] => {
    const [, name, value = "true"] = /^--([^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    return name === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(flags);
}

export function parseFiles(output: string): FileFacts[] {
  return output.split("\n").flatMap((line): FileFacts[] => {
    const [, mode, owner, path] = /^([0-7]{3,4}) (\S+:\S+) (\/.*)$/.exec(line) ?? [];
    return mode !== undefined && owner !== undefined && path !== undefined ? [{ mode, owner, path }] : [];
  });
}

const ENCRYPTION = "encryption ";

/** Reads the machine by SSH. The names of the encryption providers are no secret; the keys stay on the machine. */
const SCRIPT = `stat -c '%a %U:%G %n' ${PATHS.join(" ")} 2>/dev/null
provider=$(grep -m1 -oE '(secretbox|aesgcm|aescbc|kms|identity):' ${quote(ENCRYPTION_FILE)} 2>/dev/null)
[ -z "$provider" ] || echo "${ENCRYPTION}\${provider%:}"
true`;

/**
 * Reads what the CIS Benchmark asks of a machine.
 * @param readKubelet reads the API's answer for the kubelet's configuration, `configz`
 */
export async function readMachineFacts(
  machine: Remote,
  { name, readKubelet, signal }: { name: string; readKubelet: () => Promise<string>; signal: AbortSignal },
): Promise<MachineFacts> {
  const [{ stdout }, manifests, configz] = await Promise.all([
    machine.read(SCRIPT, { step: "reading modes of files", signal }),
    readManifestTexts(machine, signal),
    readKubelet(),
  ]);
  const encryption = stdout
    .split("\n")
    .find((line) => line.startsWith(ENCRYPTION))
    ?.slice(ENCRYPTION.length);
  const components = COMPONENTS.filter((component) => manifests.has(component));
  return {
    name,
    isControlPlane: manifests.has("kube-apiserver"),
    flags: Object.fromEntries(components.map((component) => [component, flagsOf(manifests.get(component) ?? "")])),
    files: parseFiles(stdout),
    kubelet: kubeletOf(configz),
    ...optional({ encryption }),
  };
}

function kubeletOf(configz: string): Record<string, unknown> {
  const schema = z.object({ kubeletconfig: z.record(z.string(), z.unknown()) });
  return schema.safeParse(parseJson(configz)).data?.kubeletconfig ?? {};
}
