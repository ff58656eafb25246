import type { Inputs } from "../../contracts/contract";
import { podManifestSchema, staticPodContract } from "../../contracts/host/static-pod";
import { parse } from "yaml";
import { configHash, yamlText } from "../../render/json";
import { quote } from "../../common/quote";
import { MANIFESTS } from "../../render/components/paths";
import { runningContainers, untilGone } from "../host/containers";
import { contents, put, removeData, removeFiles, seenFiles, textFile, textFiles } from "../host/files";
import { untilHealthy } from "../host/health";
import { HOST_IGNORES, HOST_REPLACES, lookAt, sameMachine, theMachine } from "../host/on-machine";
import { register, type Context, type Handler } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

type StaticPodInputs = Inputs<typeof staticPodContract>;

/**
 * A hash of all files, in an annotation: changed files make another pod. It covers keys too, and reveals none of them.
 */
const FILES_ANNOTATION = "kubewright.dev/files";
const STAGING = "/var/lib/kubewright/manifests";
const STOP_SECONDS = 120;
const LABEL = "io.kubernetes.pod.name";

const pathOf = ({ manifest }: StaticPodInputs) => `${MANIFESTS}/${manifest.metadata.name}.yaml`;
const podOf = ({ manifest, node }: StaticPodInputs) => `${manifest.metadata.name}-${node}`;

function textOf({ manifest, files }: StaticPodInputs): string {
  const annotations = {
    ...manifest.metadata.annotations,
    ...(Object.keys(files).length > 0 ? { [FILES_ANNOTATION]: configHash(files) } : {}),
  };
  const metadata = { ...manifest.metadata, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) };
  return yamlText({ ...manifest, metadata });
}

async function apply(context: Context, inputs: StaticPodInputs): Promise<void> {
  const machine = await theMachine(context, inputs);
  const { signal } = context;
  const name = inputs.manifest.metadata.name;
  context.status(`writing ${name}'s files`);
  await put(machine, textFiles(inputs.files), `writing ${context.name}`, signal);
  const before = await runningContainers(machine, LABEL, podOf(inputs), signal);
  const written = await writeManifest(context, machine, inputs);
  if (written && before.length > 0) {
    context.status(`waiting for the previous ${name} to stop`);
    await untilGone(machine, LABEL, podOf(inputs), { signal, timeout: STOP_SECONDS, ids: before });
  }
  if (inputs.health)
    await untilHealthy(
      context,
      machine,
      name,
      inputs.health,
      `\`journalctl -u kubelet\` and /var/log/pods/*_${podOf(inputs)}_*`,
    );
}

/**
 * The kubelet reads every file of its folder, incomplete ones too. So the manifest arrives elsewhere and is moved there
 * under a hidden name first.
 */
async function writeManifest(context: Context, machine: Remote, inputs: StaticPodInputs): Promise<boolean> {
  const step = `writing ${context.name}`;
  const { name } = inputs.manifest.metadata;
  const arrived = `${STAGING}/${name}.yaml`;
  await put(machine, [textFile(arrived, textOf(inputs), "0600")], step, context.signal);
  const hidden = quote(`${MANIFESTS}/.${name}.new`);
  const script = `set -e
if cmp -s ${quote(arrived)} ${quote(pathOf(inputs))}; then rm -f ${quote(arrived)}; exit 0; fi
mkdir -p ${MANIFESTS} && cp ${quote(arrived)} ${hidden} && chmod 0600 ${hidden} && mv -f ${hidden} ${quote(pathOf(inputs))}
rm -f ${quote(arrived)}
echo written`;
  const { stdout } = await machine.run(script, { step, signal: context.signal });
  // If the connection broke before the answer arrived, the command runs again and may find the manifest in place.
  return stdout.includes("written");
}

/** Returns the manifest on the machine without our additions; undefined if it is missing. */
async function manifestOn(
  machine: Remote,
  inputs: StaticPodInputs,
  signal: AbortSignal,
): Promise<StaticPodInputs["manifest"] | undefined> {
  const text = (await contents(machine, [pathOf(inputs)], signal)).get(pathOf(inputs));
  if (text === undefined) return undefined;
  if (text === textOf(inputs)) return inputs.manifest;
  const seen = podManifestSchema.safeParse(parse(text));
  // The text of another owner.
  return seen.success ? seen.data : { metadata: { name: inputs.manifest.metadata.name } };
}

/** A pod that the kubelet runs from its folder, with the files that it reads: started and healthy. */
const staticPod: Handler<typeof staticPodContract> = {
  contract: staticPodContract,
  replaceOn: [...HOST_REPLACES, "node", "manifest.metadata.name"],
  ignore: [...HOST_IGNORES, "state", "health"],
  async create(context, inputs) {
    await apply(context, inputs);
    return { id: `${inputs.instance}/${inputs.manifest.metadata.name}`, outputs: {} };
  },
  async update(context, _id, inputs, old) {
    await apply(context, inputs);
    const machine = await theMachine(context, inputs);
    const dropped = Object.keys(old.inputs.files).filter((path) => !(path in inputs.files));
    await removeFiles(machine, dropped, `writing ${context.name}`, context.signal);
    return {};
  },
  read: (context, _id, old) =>
    lookAt(context, old, async (machine) => {
      const { signal } = context;
      const looks = [
        manifestOn(machine, old.inputs, signal),
        seenFiles(machine, old.inputs.files, signal),
        runningContainers(machine, LABEL, podOf(old.inputs), signal),
      ] as const;
      const [manifest, files, running] = await Promise.all(looks);
      if (!manifest) return undefined;
      const { problem: _, ...rest } = old.inputs;
      return {
        inputs: { ...rest, manifest, files: files ?? {}, ...(running.length > 0 ? {} : { problem: "not running" }) },
        outputs: {},
      };
    }),
  async delete(context, _id, { inputs }) {
    const machine = await sameMachine(context, inputs);
    if (!machine) return;
    const { signal } = context;
    const step = `removing ${context.name}`;
    // The folder stays: the kubelet watches it.
    await machine.run(`rm -f ${quote(pathOf(inputs))}`, { step, signal });
    context.status(`waiting for ${inputs.manifest.metadata.name} to stop`);
    await untilGone(machine, LABEL, podOf(inputs), { signal, timeout: STOP_SECONDS });
    await removeFiles(machine, Object.keys(inputs.files), step, signal);
    await removeData(machine, inputs.state, step, signal);
  },
};

export const staticPodResource = register(staticPod);
