import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { dirname, join, posix } from "node:path";
import { PassThrough, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { extract } from "tar-stream";
import { parse } from "yaml";
import { z } from "zod";
import { StepError } from "../../common/errors";
import { commandLine } from "../../common/quote";
import { AUTHORITY_FILES, MACHINE_FOLDER, PATHS_OF_KUBEADM, SNAPSHOT_FILE } from "../../render/backup/content";
import { FORMER_AUTHORITIES } from "../../render/component-paths";
import { readManifestTexts } from "../kubeadm/manifest-texts";
import type { Remote } from "../ssh/remote";

const SECONDS = 3_600;

const podSchema = z.object({
  spec: z.object({
    containers: z.array(
      z.object({
        volumeMounts: z.array(z.object({ name: z.string(), readOnly: z.boolean().default(false) })).default([]),
      }),
    ),
    volumes: z.array(z.object({ name: z.string(), hostPath: z.object({ path: z.string() }).optional() })).default([]),
  }),
});

/** Returns what a static pod reads from the machine besides kubeadm's own files: encryption keys, audit policies. */
export function configuredPaths(manifest: string): string[] {
  const pod = podSchema.safeParse(parse(manifest)).data;
  const mounts = pod?.spec.containers.flatMap(({ volumeMounts }) => volumeMounts) ?? [];
  const isRead = (name: string) => mounts.some((mount) => mount.name === name && mount.readOnly);
  return (pod?.spec.volumes ?? []).flatMap(({ name, hostPath }) =>
    hostPath && isRead(name) && !PATHS_OF_KUBEADM.includes(hostPath.path) ? [hostPath.path] : [],
  );
}

/**
 * Copies a snapshot, the keys of the cluster's authorities and the files of the API server's configuration from a
 * control plane to a folder.
 * @param snapshot path on the control plane
 * @throws StepError where the snapshot arrived incomplete
 */
export async function collectFiles(
  machine: Remote,
  snapshot: string,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const step = "copying the snapshot and the keys";
  const manifest = (await readManifestTexts(machine, signal)).get("kube-apiserver") ?? "";
  const configured = configuredPaths(manifest);
  const paths = [snapshot, ...AUTHORITY_FILES, ...configured].map((path) => path.slice(1));
  let received: Promise<void> = Promise.resolve();
  const stdout = (): Writable => {
    const stream = new PassThrough();
    received = unpack(stream, folder, snapshot);
    received.catch((error: Error) => stream.destroy(error));
    return stream;
  };
  const optional = FORMER_AUTHORITIES.slice(1);
  const script = `set -- ${commandLine(paths)}
[ ! -e /${optional} ] || set -- "$@" ${optional}
tar -C / -chf - "$@"`;
  await machine.run(script, {
    step,
    signal,
    timeout: SECONDS,
    stdout,
    action: "check that there is free space on this computer, then run the command again",
  });
  await received;
  if (await isComplete(join(folder, SNAPSHOT_FILE))) return;
  throw new StepError({
    step,
    machine: machine.label,
    cause: "the snapshot arrived damaged: its checksum does not match",
    action: "run the command again",
  });
}

async function unpack(stream: PassThrough, folder: string, snapshot: string): Promise<void> {
  const archive = extract();
  await Promise.all([pipeline(stream, archive), writeEntries(archive, folder, snapshot)]);
}

async function writeEntries(archive: ReturnType<typeof extract>, folder: string, snapshot: string): Promise<void> {
  for await (const entry of archive) {
    const path = posix.normalize(`/${entry.header.name}`);
    if (entry.header.type !== "file") {
      entry.resume();
      continue;
    }
    const target = path === snapshot ? join(folder, SNAPSHOT_FILE) : join(folder, MACHINE_FOLDER, path);
    await mkdir(dirname(target), { recursive: true, mode: 0o700 });
    await pipeline(entry, createWriteStream(target, { mode: 0o600 }));
  }
}

const CHECKSUM_BYTES = 32;

/** Whether the SHA-256 with which etcd ends a snapshot matches. */
export async function isComplete(snapshot: string): Promise<boolean> {
  const size = (await stat(snapshot).catch(() => undefined))?.size ?? 0;
  if (size <= CHECKSUM_BYTES) return false;
  const hash = createHash("sha256");
  for await (const data of createReadStream(snapshot, { end: size - CHECKSUM_BYTES - 1 })) hash.update(data as Buffer);
  const ending: Buffer[] = [];
  for await (const data of createReadStream(snapshot, { start: size - CHECKSUM_BYTES })) ending.push(data as Buffer);
  return hash.digest().equals(Buffer.concat(ending));
}
