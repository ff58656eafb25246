import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fc } from "./fast-check";
import { expect } from "vitest";
import { ACCESS_FOLDER } from "../../render/backup/access";
import { ETCDUTL } from "../../render/backup/etcd-programs";
import { apiServerFilesResource } from "../../provider/resources/api-server-files";
import { backupAccessResource } from "../../provider/resources/backup-access";
import { binariesResource } from "../../provider/resources/binaries";
import { encryptionFileResource } from "../../provider/resources/encryption-file";
import { hostsResource } from "../../provider/resources/etc-hosts";
import { filesResource } from "../../provider/resources/files";
import { firewallResource } from "../../provider/resources/firewall";
import { imagesResource } from "../../provider/resources/images";
import { kernelResource } from "../../provider/resources/kernel";
import { leftoversResource } from "../../provider/resources/leftovers";
import { packagesResource } from "../../provider/resources/packages";
import { staticPodResource } from "../../provider/resources/static-pod";
import { unitResource } from "../../provider/resources/unit";
import type { Json } from "./memory-engine";
import { CRASHES } from "./node-machine";
import type { ResourceKind } from "./resource-world";

/** Files on this computer that binaries and images are copied from. The test deletes the folder. */
const sourceFolder = mkdtempSync(join(tmpdir(), "kubewright-sources-"));
export const deleteSources = () => rmSync(sourceFolder, { recursive: true, force: true });

function source(content: string): { sha256: string; path: string } {
  const sha256 = createHash("sha256").update(content).digest("hex");
  const path = join(sourceFolder, sha256);
  writeFileSync(path, content);
  return { sha256, path };
}

const sources = ["one", "two", "three"].map(source);
const archives = [["a:1", "pause:1"], ["a:2", "pause:1"], ["b:1"]].map((refs) => ({
  refs,
  ...source(refs.join("\n")),
}));

/** Three programs, each different from the one before. */
export function three(program: fc.Arbitrary<Json>): fc.Arbitrary<readonly [Json, Json, Json]> {
  const text = (value: Json) => JSON.stringify(value);
  return fc.tuple(program, program, program).filter(([a, b, c]) => text(a) !== text(b) && text(b) !== text(c));
}

/** Text files below a folder, some of which are secrets of the program. */
export function filesBelow(folder: string, names: readonly string[], contents = ["x\n", "y\n", "z\n"]) {
  const file = fc.record({ content: fc.constantFrom(...contents), mode: fc.constantFrom("0644", "0600") });
  const key = fc.constantFrom(...names.map((name) => `${folder}/${name}`));
  return fc.dictionary(key, file, { minKeys: 1, noNullPrototype: true }) as unknown as fc.Arbitrary<Json>;
}

const subset = (...all: string[]) => fc.subarray(all, { minLength: 1 });

const unitProgram = (contents?: string[]) =>
  fc.record({
    unit: fc.constant("demo.service"),
    files: filesBelow("/etc/demo.service", ["a.conf", "b.conf"], contents),
    enabled: fc.boolean(),
    running: fc.constant(true),
    restartOn: fc.dictionary(fc.constant("binary"), fc.constantFrom("1", "2"), { noNullPrototype: true }),
    state: fc.constant(["/var/lib/demo.service"]),
  }) as unknown as fc.Arbitrary<Json>;

const podProgram = fc.record({
  node: fc.constant("worker-1"),
  manifest: fc.record({
    apiVersion: fc.constant("v1"),
    kind: fc.constant("Pod"),
    metadata: fc.constant({ name: "etcd" }),
    spec: fc.record({ image: fc.constantFrom("etcd:1", "etcd:2") }),
  }),
  files: filesBelow("/etc/kubernetes/pki", ["ca.crt", "etcd.key"]),
  state: fc.constant([]),
}) as unknown as fc.Arbitrary<Json>;

const apiServerFilesProgram = fc.record({
  files: fc.dictionary(
    fc.constantFrom("/etc/kubernetes/audit-1.yaml", "/etc/kubernetes/audit-2.yaml"),
    fc.constant("x\n"),
    {
      minKeys: 1,
      noNullPrototype: true,
    },
  ),
});

/** Keys, which a file never loses. The machine in memory has no API server that takes a changed file into use. */
const encryptionProgram = {
  provider: "secretbox",
  keys: ["2", "1"].map((name) => ({ name, provider: "secretbox", secret: name })),
};

const etcdutl = { ...source("etcdutl"), size: "etcdutl".length };

const accessProgram = fc.record({
  files: filesBelow(ACCESS_FOLDER, ["password", "environment", "ssh-key"]),
  repository: fc.constant("sftp:me@nas:/b"), // An adoption does not find out that the machine used another one.
  options: fc.constant([]),
  creates: fc.constant(true),
  etcdutl: fc.constant(etcdutl),
}) as unknown as fc.Arbitrary<Json>;

/** Resources on a machine, without those of a cluster. */
export const machineKinds: readonly ResourceKind[] = [
  {
    name: "Files",
    handler: filesResource,
    programs: three(fc.record({ files: filesBelow("/etc/demo", ["a", "b", "c", "d"]) })),
  },
  {
    name: "Binaries",
    handler: binariesResource,
    programs: three(
      fc
        .dictionary(fc.constantFrom("/usr/local/bin/a", "/usr/local/bin/b"), fc.constantFrom(...sources), {
          minKeys: 1,
          noNullPrototype: true,
        })
        .map((files) => ({
          files: Object.fromEntries(Object.entries(files).map(([path, { sha256 }]) => [path, sha256])),
          sources: Object.fromEntries(sources.map(({ sha256, path }) => [sha256, path])),
        })),
    ),
  },
  { name: "Unit", handler: unitResource, programs: three(unitProgram()) },
  {
    name: "Unit with a configuration that does not work",
    handler: unitResource,
    programs: fc.tuple(unitProgram(), unitProgram([CRASHES]), unitProgram()),
    fails: (program) => JSON.stringify(program).includes(JSON.stringify(CRASHES)),
  },
  {
    name: "Kernel",
    handler: kernelResource,
    programs: three(
      fc.record({
        modules: subset("br_netfilter", "overlay"),
        sysctls: fc.dictionary(fc.constantFrom("net.a", "net.b"), fc.constantFrom("0", "1"), { noNullPrototype: true }),
      }),
    ),
  },
  {
    name: "Packages",
    handler: packagesResource,
    programs: three(fc.record({ packages: subset("socat", "ethtool", "conntrack"), osFamily: fc.constant("debian") })),
    verify: ({ machine }, { packages }) =>
      void expect([...machine.packages]).toEqual(expect.arrayContaining(packages as string[])),
  },
  {
    name: "Firewall",
    handler: firewallResource,
    programs: three(
      fc.record({ ports: subset("10250/tcp", "6443/tcp"), ranges: subset("10.244.0.0/16", "10.10.0.0/16") }),
    ),
  },
  {
    name: "Hosts",
    handler: hostsResource,
    programs: three(
      fc.record({
        entries: fc.dictionary(fc.constantFrom("worker-1", "worker-2"), fc.constantFrom("10.0.0.1", "10.0.0.2"), {
          minKeys: 1,
          noNullPrototype: true,
        }),
      }),
    ),
  },
  {
    name: "Images",
    handler: imagesResource,
    programs: three(
      fc
        .record({ archive: fc.constantFrom(...archives), pull: fc.subarray(["c:1", "d:1"]) })
        .map(({ archive, pull }) => ({
          archives: { worker: { sha256: archive.sha256, refs: archive.refs } },
          sources: Object.fromEntries(archives.map(({ sha256, path }) => [sha256, path])),
          pull,
        })),
    ),
    // Images of earlier programs stay, because a pod may still run them.
    verify: ({ machine }, program) => {
      const { archives, pull } = program as { archives: Record<string, { refs: string[] }>; pull: string[] };
      expect([...machine.images]).toEqual(expect.arrayContaining([...(archives.worker?.refs ?? []), ...pull]));
    },
  },
  { name: "StaticPod", handler: staticPodResource, programs: three(podProgram) },
  { name: "ApiServerFiles", handler: apiServerFilesResource, programs: three(apiServerFilesProgram) },
  {
    name: "EncryptionFile",
    handler: encryptionFileResource,
    programs: fc.constant([encryptionProgram, encryptionProgram, encryptionProgram] as const),
  },
  {
    name: "Remains",
    handler: leftoversResource,
    programs: fc.constant([{ of: "kube-proxy" }, { of: "kube-proxy" }, { of: "kube-proxy" }] as const),
    prepare: ({ machine }) => {
      machine.leftovers.add("flannel");
      machine.on(/without_rules/, () => {
        machine.leftovers.delete("kube-proxy");
        return "";
      });
    },
    afterUp: ({ machine }) => void machine.leftovers.add("kube-proxy"),
  },
  {
    name: "BackupAccess",
    handler: backupAccessResource,
    programs: three(accessProgram),
    prepare: ({ machine }) => {
      let hasRepository = false;
      machine.on(/^call_restic \d+ cat config/m, () => (hasRepository ? "" : { code: 10 }));
      machine.on(/^call_restic \d+ init/m, () => {
        hasRepository = true;
        return "";
      });
    },
    leaves: {
      reason: "commands for backups use etcdutl too",
      apply: (reference, deleted) => {
        const file = deleted.machine.files.get(ETCDUTL);
        if (file) reference.machine.files.set(ETCDUTL, file);
      },
    },
  },
];
