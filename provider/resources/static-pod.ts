import type { Inputs } from "../../contracts/contract";
import type { TextFiles } from "../../contracts/files";
import { podManifestSchema, staticPodContract } from "../../contracts/host/static-pod";
import { parseDocument } from "yaml";
import { configHash, yamlText } from "../../render/json";
import { commandLine, quote } from "../../common/quote";
import { MANIFESTS } from "../../render/component-paths";
import { listContainers, waitUntilStopped } from "../host/containers";
import { readContents, writeFiles, emptyFolders, removeFiles, readTextFiles, textFile, textFiles } from "../host/files";
import { describeChangedFiles } from "../host/changed-lines";
import { expectAnotherPod, parsePodManifest, proveStaticPod, type StaticPodProof } from "../host/prove-static-pod";
import { putBack } from "../host/put-back";
import { currentUids, readPodState, type PodState } from "../host/static-pods";
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
const podName = ({ manifest, node }: StaticPodInputs) => `${manifest.metadata.name}-${node}`;

function manifestText({ manifest, files }: StaticPodInputs): string {
  const annotations = {
    ...manifest.metadata.annotations,
    ...(Object.keys(files).length > 0 ? { [FILES_ANNOTATION]: configHash(files) } : {}),
  };
  const metadata = { ...manifest.metadata, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) };
  return yamlText({ ...manifest, metadata });
}

/** A static pod on the machine before a change. */
interface PodBefore {
  /** Text of the manifest; undefined if there was none. */
  manifest: string | undefined;
  files: TextFiles;
  /** Ids of the containers that ran. */
  containers: readonly string[];
  pods: PodState;
}

async function readBefore(machine: Remote, inputs: StaticPodInputs, signal: AbortSignal): Promise<PodBefore> {
  const path = manifestPath(inputs);
  const [texts, files, containers, pods] = await Promise.all([
    readContents(machine, [path], signal),
    readTextFiles(machine, inputs.files, signal),
    listContainers(machine, LABEL, podName(inputs), signal),
    readPodState(machine, podName(inputs), signal),
  ]);
  return { manifest: texts.get(path), files: files ?? {}, containers, pods };
}

/**
 * Writes the pod's files and manifest, and proves the new pod healthy. If a pod with a health endpoint does not
 * become healthy with a change, its previous files and manifest are restored, and the error reports that.
 */
async function apply(context: Context, inputs: StaticPodInputs): Promise<void> {
  const machine = await requireMachine(context, inputs);
  const before = await readBefore(machine, inputs, context.signal);
  try {
    await replacePod(context, machine, inputs, before);
  } catch (error) {
    const hasRun = before.manifest !== undefined && before.containers.length > 0;
    if (context.signal.aborted || !hasRun || !inputs.health) throw error;
    throw (await restorePod(context, machine, { inputs, before, error })) ?? error;
  }
}

async function replacePod(context: Context, machine: Remote, inputs: StaticPodInputs, before: PodBefore) {
  const { signal } = context;
  const { name } = inputs.manifest.metadata;
  context.status(`writing ${name}'s files`);
  await writeFiles(machine, textFiles(inputs.files), `writing ${context.name}`, signal);
  const text = manifestText(inputs);
  const written = await writeManifest(context, machine, inputs, text);
  if (written && before.containers.length > 0) {
    context.status(`waiting for the previous ${name} to stop`);
    await waitUntilStopped(machine, LABEL, podName(inputs), {
      signal,
      timeout: STOP_SECONDS,
      ids: before.containers,
    });
  }
  const isExpected = text === before.manifest ? () => true : expectAnotherPod(before.pods);
  await provePod(context, machine, inputs, { text, before: before.pods, isExpected });
}

async function provePod(
  context: Context,
  machine: Remote,
  inputs: StaticPodInputs,
  { text, ...proof }: Pick<StaticPodProof, "before" | "isExpected"> & { text: string },
): Promise<void> {
  const { health, manifest } = inputs;
  if (!health) return;
  const { containers } = parsePodManifest(text);
  const { timeout } = health;
  await proveStaticPod(context, machine, {
    ...proof,
    name: manifest.metadata.name,
    pod: podName(inputs),
    containers,
    endpoint: health,
    timeout,
  });
}

/** @returns the error to report; undefined if nothing changed or the previous pod does not become healthy either */
async function restorePod(
  context: Context,
  machine: Remote,
  { inputs, before, error }: { inputs: StaticPodInputs; before: PodBefore; error: unknown },
): Promise<Error | undefined> {
  const { signal } = context;
  const { manifest: text = "", files } = before;
  const path = manifestPath(inputs);
  const failed = await readBefore(machine, inputs, signal);
  // Secrets of a pod are in its files, of which only those that every user may read are quoted.
  const withManifest = (pod: PodBefore) => ({ ...pod.files, [path]: { content: pod.manifest ?? "", mode: "0644" } });
  const changes = describeChangedFiles(withManifest(before), withManifest(failed));
  if (changes === "") return undefined;
  const [wanted, unwanted] = [currentUids(before.pods), currentUids(failed.pods)];
  const restore = async () => {
    const step = `restoring ${context.name}`;
    const created = Object.keys(inputs.files).filter((file) => !(file in files));
    await removeFiles(machine, created, step, signal);
    await writeFiles(machine, textFiles(files), step, signal);
    await writeManifest(context, machine, inputs, text);
    const pods = await readPodState(machine, podName(inputs), signal);
    await provePod(context, machine, inputs, {
      text,
      before: pods,
      isExpected: (uid) => wanted.has(uid) || !unwanted.has(uid),
    });
  };
  return await putBack(context, machine, { name: inputs.manifest.metadata.name, error, changes, restore });
}

/**
 * Writes the manifest. The kubelet reads every visible file of its folder, incomplete ones too, so the manifest arrives
 * in another folder and is copied under a hidden name first.
 * @returns whether the manifest changed
 */
async function writeManifest(
  context: Context,
  machine: Remote,
  inputs: StaticPodInputs,
  text: string,
): Promise<boolean> {
  const step = `writing ${context.name}`;
  const { name } = inputs.manifest.metadata;
  const arrived = stagingPath(inputs);
  await writeFiles(machine, [textFile(arrived, text, "0600")], step, context.signal);
  const hidden = quote(`${MANIFESTS}/.${name}.new`);
  const script = `set -e
if cmp -s ${quote(arrived)} ${quote(manifestPath(inputs))}; then rm -f ${quote(arrived)}; exit 0; fi
mkdir -p ${MANIFESTS}
cp ${quote(arrived)} ${hidden}
chmod 0600 ${hidden}
mv -f ${hidden} ${quote(manifestPath(inputs))}
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
    await apply(context, inputs);
    return { id: `${inputs.instance}/${inputs.manifest.metadata.name}`, outputs: {} };
  },
  async update(context, _id, inputs, old) {
    await apply(context, inputs);
    const machine = await requireMachine(context, inputs);
    const dropped = Object.keys(old.inputs.files).filter((path) => !(path in inputs.files));
    await removeFiles(machine, dropped, `writing ${context.name}`, context.signal);
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
    context.status(`waiting for ${inputs.manifest.metadata.name} to stop`);
    await waitUntilStopped(machine, LABEL, podName(inputs), { signal, timeout: STOP_SECONDS });
    await emptyFolders(machine, inputs.state, step, signal);
    await removeFiles(machine, Object.keys(inputs.files), step, signal);
  },
};

export const staticPodResource = register(staticPod);
