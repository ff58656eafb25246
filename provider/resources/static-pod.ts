import { optional } from "../../common/optional";
import type { Inputs } from "../../contracts/contract";
import { staticPodContract } from "../../contracts/host/static-pod";
import { commandLine } from "../../common/quote";
import { listContainers, waitUntilStopped } from "../host/containers";
import { writeFiles, emptyFolders, removeFiles, readTextFiles, textFiles } from "../host/files";
import { describeChangedFiles } from "../host/changed-lines";
import { waitUntilHealthy } from "../host/health";
import {
  manifestPath,
  manifestText,
  parseManifest,
  readManifest,
  stagingPath,
  writeManifest,
} from "../host/pod-manifest";
import { expectAnotherPod, parsePodManifest, proveStaticPod } from "../host/prove-static-pod";
import { putBack } from "../host/put-back";
import { readPodState, type PodState } from "../host/static-pods";
import {
  actionAfterPutBack,
  type ComponentVersion,
  findImpossibleComponent,
  imageOfPod,
  isPrepared,
  isUpgradedEtcd,
  prepareComponent,
  versionOfImage,
} from "../kubeadm/component-upgrade";
import { type EtcdUpgrade, KeptEtcdError, proveEtcdRestored, proveEtcdUpgrade } from "../kubeadm/etcd-upgrade";
import { dropKeptFiles, keepFiles, readKeptFiles, restoreKeptFiles } from "../kubeadm/kept-files";
import { waitForNodeAfterOutage } from "../kubeadm/node-after-outage";
import { MACHINE_IGNORE, MACHINE_REPLACE_ON, readMachine, findMachine, requireMachine } from "../host/on-machine";
import { register, type Context, type Handler } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

type StaticPodInputs = Inputs<typeof staticPodContract>;

const STOP_SECONDS = 120;
const LABEL = "io.kubernetes.pod.name";

/** Folder of the copies of the pod's files from before a change. */
const keptFolder = ({ manifest }: StaticPodInputs) =>
  `/var/lib/kubewright/previous-${manifest.metadata.name.replace(/[^a-z0-9.-]/g, "_")}`;
const podName = ({ manifest, node }: StaticPodInputs) => `${manifest.metadata.name}-${node}`;

/** @returns whether the manifest changed, so that another pod must run */
async function apply(context: Context, machine: Remote, inputs: StaticPodInputs): Promise<boolean> {
  const { signal } = context;
  const name = inputs.manifest.metadata.name;
  context.status(`writing ${name}'s files`);
  await writeFiles(machine, textFiles(inputs.files), `writing ${context.name}`, signal);
  const before = await listContainers(machine, LABEL, podName(inputs), signal);
  const written = await writeManifest(context, machine, inputs);
  if (written && before.length > 0) {
    context.status(`waiting for the previous ${name} to stop`);
    await waitUntilStopped(machine, LABEL, podName(inputs), { signal, timeout: STOP_SECONDS, ids: before });
  }
  return written;
}

async function waitUntilPodHealthy(context: Context, machine: Remote, inputs: StaticPodInputs): Promise<void> {
  if (!inputs.health) return;
  const logs = `\`journalctl -u kubelet\` and /var/log/pods/*_${podName(inputs)}_*`;
  await waitUntilHealthy(context, machine, inputs.manifest.metadata.name, inputs.health, logs);
}

interface ChangedPod {
  /** The containers before the manifest was written. */
  before: PodState;
  /** Whether another pod must run now. */
  written: boolean;
}

/** Proves that the changed pod is healthy and does not restart. */
async function provePod(
  context: Context,
  machine: Remote,
  inputs: StaticPodInputs,
  { before, written }: ChangedPod,
): Promise<void> {
  const { health, manifest } = inputs;
  if (!health) return;
  await proveStaticPod(context, machine, {
    name: manifest.metadata.name,
    pod: podName(inputs),
    containers: parsePodManifest(manifestText(inputs)).containers,
    endpoint: health,
    before,
    isExpected: written ? expectAnotherPod(before) : () => true,
    timeout: health.timeout,
  });
}

/**
 * Changes a pod. Where it does not become healthy, its previous files are restored and the change is withdrawn. Copies
 * of them are on the machine, so that a run after an interrupted one can restore them as well.
 */
async function change(context: Context, machine: Remote, inputs: StaticPodInputs, old: StaticPodInputs): Promise<void> {
  const { signal } = context;
  const paths = [...new Set([manifestPath(inputs), ...Object.keys(old.files), ...Object.keys(inputs.files)])];
  const folder = keptFolder(inputs);
  await keepFiles(machine, paths, signal, folder);
  const before = await readPodState(machine, podName(inputs), signal);
  const upgrade = await readEtcdUpgrade(machine, inputs, signal);
  const written = await apply(context, machine, inputs);
  try {
    await provePod(context, machine, inputs, { before, written });
    if (upgrade) await proveEtcdUpgrade(context, machine, upgrade);
  } catch (error) {
    if (signal.aborted || error instanceof KeptEtcdError) throw error;
    throw (await restore(context, machine, { inputs, old, paths, error, upgrade })) ?? error;
  }
  const dropped = Object.keys(old.files).filter((path) => !(path in inputs.files));
  await removeFiles(machine, dropped, `writing ${context.name}`, signal);
  await dropKeptFiles(machine, signal, folder);
}

/** @returns undefined if the pod is not etcd, or its image stays. The copies are those of before an interrupted run. */
async function readEtcdUpgrade(
  machine: Remote,
  inputs: StaticPodInputs,
  signal: AbortSignal,
): Promise<EtcdUpgrade | undefined> {
  if (!isUpgradedEtcd(componentOf(inputs))) return undefined;
  const path = manifestPath(inputs);
  const previous = (await readKeptFiles(machine, [path], signal, keptFolder(inputs))).get(path);
  const [from, to] = [imageOfPod(parseManifest(previous ?? "")), imageOfPod(inputs.manifest)];
  if (from === undefined || from === to) return undefined;
  return { from: versionOfImage(from), to: versionOfImage(to), logs: "/var/log/pods/*_kube-apiserver-*" };
}

interface FailedPod {
  inputs: StaticPodInputs;
  old: StaticPodInputs;
  /** Files that the change may have written. */
  paths: readonly string[];
  error: unknown;
  /** Set for another image of etcd. */
  upgrade: EtcdUpgrade | undefined;
}

/** @returns the error to report; undefined if nothing has changed or the previous files do not work either */
async function restore(
  context: Context,
  machine: Remote,
  { inputs, old, paths, error, upgrade }: FailedPod,
): Promise<Error | undefined> {
  const { signal } = context;
  const { name } = inputs.manifest.metadata;
  const [path, folder] = [manifestPath(inputs), keptFolder(inputs)];
  const previous = (await readKeptFiles(machine, [path], signal, folder)).get(path);
  if (previous === undefined || previous === manifestText(inputs)) return undefined;
  const asFile = (content: string) => ({ [path]: { content, mode: "0644" } });
  return await putBack(context, machine, {
    name,
    error,
    changes: describeChangedFiles(asFile(previous), asFile(manifestText(inputs))),
    restore: async () => {
      const before = await readPodState(machine, podName(inputs), signal);
      const failed = await listContainers(machine, LABEL, podName(inputs), signal);
      await restoreKeptFiles(machine, paths, signal, folder);
      await waitUntilStopped(machine, LABEL, podName(inputs), { signal, timeout: STOP_SECONDS, ids: failed });
      await provePod(context, machine, old, { before, written: true });
      if (upgrade) await proveEtcdRestored(context, machine, upgrade);
      await dropKeptFiles(machine, signal, folder);
    },
    ...optional({
      action: actionAfterPutBack(componentOf(inputs), versionOfImage(imageOfPod(parseManifest(previous)))),
    }),
    settle: isPrepared(name) ? () => waitForNodeAfterOutage(context, machine) : undefined,
  });
}

/** Returns the component that a pod may be. Unknown values of a preview are undefined. */
function componentOf({ manifest, instance, kubernetes }: Partial<StaticPodInputs>): ComponentVersion {
  return { component: manifest?.metadata.name, instance, kubernetes, image: imageOfPod(manifest) };
}

/** Prepares another image of etcd or of the API server. An interrupted run may have written the manifest already. */
async function prepare(
  context: Context,
  machine: Remote,
  inputs: StaticPodInputs,
  old: StaticPodInputs,
): Promise<void> {
  const { manifest, kubernetes: to, connection } = inputs;
  const component = manifest.metadata.name;
  if (to === undefined || !isPrepared(component)) return;
  const image = imageOfPod(await readManifest(machine, old, context.signal));
  if (image === undefined || image === imageOfPod(manifest)) return;
  // A kubelet that was just replaced may still be starting the pod.
  await waitUntilPodHealthy(context, machine, old);
  const from = versionOfImage(image);
  await prepareComponent(context, machine, { component, from, to, connection });
}

/** A static pod of the kubelet, with the files that it reads: started and healthy. */
const staticPod: Handler<typeof staticPodContract> = {
  contract: staticPodContract,
  replaceOn: [...MACHINE_REPLACE_ON, "node", "manifest.metadata.name"],
  ignore: [...MACHINE_IGNORE, "state", "health", "kubernetes"],
  findImpossibleChanges: (now, old) => findImpossibleComponent(componentOf(now), componentOf(old)),
  async create(context, inputs) {
    const machine = await requireMachine(context, inputs);
    await apply(context, machine, inputs);
    await waitUntilPodHealthy(context, machine, inputs);
    return { id: `${inputs.instance}/${inputs.manifest.metadata.name}`, outputs: {} };
  },
  async update(context, _id, inputs, old) {
    const machine = await requireMachine(context, inputs);
    await prepare(context, machine, inputs, old.inputs);
    await change(context, machine, inputs, old.inputs);
    return {};
  },
  read: (context, _id, old) =>
    readMachine(context, old, async (machine) => {
      const { signal } = context;
      const reads = [
        readManifest(machine, old.inputs, signal),
        readTextFiles(machine, old.inputs.files, signal),
        listContainers(machine, LABEL, podName(old.inputs), signal),
      ] as const;
      const [manifest, files, running] = await Promise.all(reads);
      // A delete removes the manifest first, and the files last.
      if (!manifest) return Object.keys(files ?? {}).length === 0 ? undefined : { ...old, unfinished: true };
      const { problem: _, ...rest } = old.inputs;
      return {
        inputs: { ...rest, manifest, files: files ?? {}, ...(running.length > 0 ? {} : { problem: "not running" }) },
        outputs: {},
      };
    }),
  async delete(context, _id, { inputs }) {
    const machine = await findMachine(context, inputs);
    if (!machine) return;
    const { signal } = context;
    const step = `removing ${context.name}`;
    // The folder stays: the kubelet watches it.
    await machine.run(`rm -f ${commandLine([manifestPath(inputs), stagingPath(inputs)])}`, { step, signal });
    await dropKeptFiles(machine, signal, keptFolder(inputs));
    context.status(`waiting for ${inputs.manifest.metadata.name} to stop`);
    await waitUntilStopped(machine, LABEL, podName(inputs), { signal, timeout: STOP_SECONDS });
    await emptyFolders(machine, inputs.state, step, signal);
    await removeFiles(machine, Object.keys(inputs.files), step, signal);
  },
};

export const staticPodResource = register(staticPod);
