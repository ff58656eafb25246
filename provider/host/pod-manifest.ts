import { parseDocument } from "yaml";
import { quote } from "../../common/quote";
import type { Inputs } from "../../contracts/contract";
import { podManifestSchema, type staticPodContract } from "../../contracts/host/static-pod";
import { MANIFESTS } from "../../render/component-paths";
import { configHash, yamlText } from "../../render/json";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { readContents, textFile, writeFiles } from "./files";

type StaticPodInputs = Inputs<typeof staticPodContract>;
type Named = Pick<StaticPodInputs, "manifest">;

/**
 * Annotation with a hash of all files, so that changed files restart the pod. The hash covers keys too, and reveals
 * none.
 */
const FILES_ANNOTATION = "kubewright.dev/files";
const STAGING = "/var/lib/kubewright/manifests";

/** Returns the path of a pod's manifest in the folder of the kubelet. */
export const manifestPath = ({ manifest }: Named) => `${MANIFESTS}/${manifest.metadata.name}.yaml`;
/** Returns the path at which a manifest arrives. */
export const stagingPath = ({ manifest }: Named) => `${STAGING}/${manifest.metadata.name}.yaml`;

/** Renders the manifest with an annotation that changes with the pod's files. */
export function manifestText({ manifest, files }: StaticPodInputs): string {
  const annotations = {
    ...manifest.metadata.annotations,
    ...(Object.keys(files).length > 0 ? { [FILES_ANNOTATION]: configHash(files) } : {}),
  };
  const metadata = { ...manifest.metadata, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) };
  return yamlText({ ...manifest, metadata });
}

/**
 * Writes the manifest. The kubelet reads every visible file of its folder, incomplete ones too, so the manifest arrives
 * in another folder and is copied under a hidden name first.
 * @returns whether the manifest changed
 */
export async function writeManifest(context: Context, machine: Remote, inputs: StaticPodInputs): Promise<boolean> {
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
export async function readManifest(
  machine: Remote,
  inputs: StaticPodInputs,
  signal: AbortSignal,
): Promise<StaticPodInputs["manifest"] | undefined> {
  const text = (await readContents(machine, [manifestPath(inputs)], signal)).get(manifestPath(inputs));
  if (text === undefined) return undefined;
  if (text === manifestText(inputs)) return inputs.manifest;
  const parsed = podManifestSchema.safeParse(parseManifest(text));
  return parsed.success ? parsed.data : { metadata: { name: inputs.manifest.metadata.name } };
}

/** Parses a manifest that another program may have written. @returns undefined if it is not YAML */
export function parseManifest(text: string): unknown {
  const { errors, contents } = parseDocument(text);
  return errors.length > 0 ? undefined : contents?.toJSON();
}
