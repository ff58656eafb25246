import type { Inputs } from "../../contracts/contract";
import { podManifestSchema, staticPodContract } from "../../contracts/host/static-pod";
import { parseDocument } from "yaml";
import { configHash, yamlText } from "../../render/json";
import { commandLine, quote } from "../../common/quote";
import { MANIFESTS } from "../../render/component-paths";
import { listContainers, waitUntilStopped } from "../host/containers";
import { readContents, writeFiles, emptyFolders, removeFiles, readTextFiles, textFile, textFiles } from "../host/files";
import { describeChangedFiles } from "../host/changed-lines";
import { waitUntilHealthy } from "../host/health";
import { expectAnotherPod, parsePodManifest, proveStaticPod } from "../host/prove-static-pod";
import { putBack } from "../host/put-back";
import { readPodState, type PodState } from "../host/static-pods";
import { dropKeptFiles, keepFiles, readKeptFiles, restoreKeptFiles } from "../kubeadm/kept-files";
import { MACHINE_IGNORE, MACHINE_REPLACE_ON, readMachine, findMachine, requireMachine } from "../host/on-machine";
import { register, type Context, type Handler } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

type StaticPodInputs = Inputs<typeof staticPodContract>;

/**
 * Annotation with a hash of all files, so that changed files restart the pod. The hash covers keys too, and reveals
 * none.
 */
const FILES_ANNOTATION = "kubewright.dev/files";
const STAGING = "/var/lib/kubewright/manifests";
const STOP_SECONDS = 120;
const LABEL = "io.kubernetes.pod.name";

const manifestPath = ({ manifest }: StaticPodInputs) => `${MANIFESTS}/${manifest.metadata.name}.yaml`;
const stagingPath = ({ manifest }: StaticPodInputs) => `${STAGING}/${manifest.metadata.name}.yaml`;
/** Folder of the copies of the pod's files from before a change. */
const keptFolder = ({ manifest }: StaticPodInputs) =>
  `/var/lib/kubewright/previous-${manifest.metadata.name.replace(/[^a-z0-9.-]/g, "_")}`;
const podName = ({ manifest, node }: StaticPodInputs) => `${manifest.metadata.name}-${node}`;

function manifestText({ manifest, files }: StaticPodInputs): string {
  const annotations = {
    ...manifest.metadata.annotations,
    ...(Object.keys(files).length > 0 ? { [FILES_ANNOTATION]: configHash(files) } : {}),
  };
  const metadata = { ...manifest.metadata, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) };
  return yamlText({ ...manifest, metadata });
}

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
  const written = await apply(context, machine, inputs);
  try {
    await provePod(context, machine, inputs, { before, written });
  } catch (error) {
    if (signal.aborted) throw error;
    throw (await restore(context, machine, { inputs, old, paths, error })) ?? error;
  }
  const dropped = Object.keys(old.files).filter((path) => !(path in inputs.files));
  await removeFiles(machine, dropped, `writing ${context.name}`, signal);
  await dropKeptFiles(machine, signal, folder);
}

interface FailedPod {
  inputs: StaticPodInputs;
  old: StaticPodInputs;
  /** Files that the change may have written. */
  paths: readonly string[];
  error: unknown;
}

/** @returns the error to report; undefined if nothing has changed or the previous files do not work either */
async function restore(
  context: Context,
  machine: Remote,
  { inputs, old, paths, error }: FailedPod,
): Promise<Error | undefined> {
  const { signal } = context;
  const [path, folder] = [manifestPath(inputs), keptFolder(inputs)];
  const previous = (await readKeptFiles(machine, [path], signal, folder)).get(path);
  if (previous === undefined || previous === manifestText(inputs)) return undefined;
  const asFile = (content: string) => ({ [path]: { content, mode: "0644" } });
  return await putBack(context, machine, {
    name: inputs.manifest.metadata.name,
    error,
    changes: describeChangedFiles(asFile(previous), asFile(manifestText(inputs))),
    restore: async () => {
      const before = await readPodState(machine, podName(inputs), signal);
      const failed = await listContainers(machine, LABEL, podName(inputs), signal);
      await restoreKeptFiles(machine, paths, signal, folder);
      await waitUntilStopped(machine, LABEL, podName(inputs), { signal, timeout: STOP_SECONDS, ids: failed });
      await provePod(context, machine, old, { before, written: true });
      await dropKeptFiles(machine, signal, folder);
    },
  });
}

/**
 * Writes the manifest. The kubelet reads every visible file of its folder, incomplete ones too, so the manifest arrives
 * in another folder and is copied under a hidden name first.
 * @returns whether the manifest changed
 */
async function writeManifest(context: Context, machine: Remote, inputs: StaticPodInputs): Promise<boolean> {
  const step = `writing ${context.name}`;
  const { name } = inputs.manifest.metadata;
  const arrived = stagingPath(inputs);
  await writeFiles(machine, [textFile(arrived, manifestText(inputs), "0600")], step, context.signal);
  const hidden = quote(`${MANIFESTS}/.${name}.new`);
  const script = `set -e
if cmp -s ${quote(arrived)} ${quote(manifestPath(inputs))}; then rm -f ${quote(arrived)}; exit 0; fi
mkdir -p ${MANIFESTS}
cp ${quote(arrived)} ${hidden}
chmod 0600 ${hidden}
mv -fT ${hidden} ${quote(manifestPath(inputs))}
rm -f ${quote(arrived)}
echo written`;
  const { stdout } = await machine.run(script, { step, signal: context.signal });
  // If the connection broke before the answer arrived, the command runs again and may find the manifest in place.
  return stdout.includes("written");
}

/** Returns the manifest on the machine without the added annotation; undefined if it is missing. */
async function readManifest(
  machine: Remote,
  inputs: StaticPodInputs,
  signal: AbortSignal,
): Promise<StaticPodInputs["manifest"] | undefined> {
  const text = (await readContents(machine, [manifestPath(inputs)], signal)).get(manifestPath(inputs));
  if (text === undefined) return undefined;
  if (text === manifestText(inputs)) return inputs.manifest;
  // Another program wrote the file, which may not even be YAML.
  const { errors, contents } = parseDocument(text);
  const parsed = podManifestSchema.safeParse(errors.length > 0 ? undefined : contents?.toJSON());
  return parsed.success ? parsed.data : { metadata: { name: inputs.manifest.metadata.name } };
}

/** A static pod of the kubelet, with the files that it reads: started and healthy. */
const staticPod: Handler<typeof staticPodContract> = {
  contract: staticPodContract,
  replaceOn: [...MACHINE_REPLACE_ON, "node", "manifest.metadata.name"],
  ignore: [...MACHINE_IGNORE, "state", "health"],
  async create(context, inputs) {
    const machine = await requireMachine(context, inputs);
    await apply(context, machine, inputs);
    await waitUntilPodHealthy(context, machine, inputs);
    return { id: `${inputs.instance}/${inputs.manifest.metadata.name}`, outputs: {} };
  },
  async update(context, _id, inputs, old) {
    await change(context, await requireMachine(context, inputs), inputs, old.inputs);
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
