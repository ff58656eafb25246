import { createReadStream } from "node:fs";
import { access } from "node:fs/promises";
import { z } from "zod";
import { StepError } from "../../common/errors";
import { commandLine, quote } from "../../common/quote";
import { HOST_IGNORES, HOST_REPLACES, lookAt, onHost, sameMachine, theMachine } from "../host/on-host";
import { register, type Context, type Handler } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

const schema = z.strictObject({
  ...onHost,
  /** The archives, by name, with the images that each must leave behind. */
  archives: z.record(z.string(), z.strictObject({ sha256: z.string(), refs: z.array(z.string()) })),
  /** SHA-256 to where the archive is on the controller. */
  sources: z.record(z.string(), z.string()),
  /** Images that the machine pulls by itself, from where containerd's configuration says. */
  pull: z.array(z.string()),
});

type ImagesInputs = z.infer<typeof schema>;
type ImagesOutputs = Record<string, never>;

const PULL_SECONDS = 600;
const LOADED = "/var/lib/kubewright/images";

async function present(machine: Remote, signal: AbortSignal): Promise<{ refs: Set<string>; loaded: Set<string> }> {
  const script = `ctr -n k8s.io images ls -q 2>/dev/null; ls ${LOADED} 2>/dev/null; true`;
  const { stdout } = await machine.run(script, { step: "listing images", signal });
  const words = new Set(stdout.split("\n").filter(Boolean));
  return { refs: words, loaded: words };
}

async function load(context: Context, inputs: ImagesInputs): Promise<void> {
  const machine = await theMachine(context, inputs);
  const there = await present(machine, context.signal);
  for (const [name, archive] of Object.entries(inputs.archives)) {
    if (there.loaded.has(archive.sha256) && archive.refs.every((ref) => there.refs.has(ref))) continue;
    context.status(`loading images: ${name}`);
    await importArchive(context, machine, name, archive, inputs.sources[archive.sha256]);
  }
  for (const ref of inputs.pull.filter((wanted) => !there.refs.has(wanted))) await pull(context, machine, ref);
}

async function pull(context: Context, machine: Remote, ref: string): Promise<void> {
  context.status(`pulling ${ref}`);
  await machine.run(`ctr -n k8s.io images pull --hosts-dir /etc/containerd/certs.d ${quote(ref)} >/dev/null`, {
    step: `pulling ${ref}`,
    signal: context.signal,
    timeout: PULL_SECONDS,
    action: "can the machine reach the registry? else set `source` to modules or to a mirror",
  });
}

async function importArchive(context: Context, machine: Remote, name: string, archive: { sha256: string; refs: string[] }, source: string | undefined) {
  const step = `loading the ${name} images`;
  if (source === undefined || !(await access(source).then(() => true, () => false))) {
    throw new StepError({ step, machine: machine.label, cause: `${source ?? name} is not in this user's cache any more`, action: "run `pulumi up` again, which fetches it" });
  }
  // --local is three times as quick as the transfer service; pinned images are not the kubelet's to collect.
  const script = `set -e
ctr -n k8s.io images import --local --label io.cri-containerd.pinned=pinned - >/dev/null
mkdir -p ${LOADED}
touch ${LOADED}/${quote(archive.sha256)}`;
  await machine.run(script, {
    step,
    signal: context.signal,
    stdin: () => createReadStream(source, { highWaterMark: 1 << 20 }),
    action: "is containerd running, and is there room on the disk?",
  });
}

/** Container images that are brought to a machine, for clusters without a registry. */
const images: Handler<ImagesInputs, ImagesOutputs> = {
  schema,
  outputs: [],
  replaceOn: HOST_REPLACES,
  ignore: [...HOST_IGNORES, "sources"],
  async create(context, inputs) {
    await load(context, inputs);
    return { id: `${inputs.instance}/images`, outputs: {} };
  },
  async update(context, _id, inputs) {
    await load(context, inputs);
    return {};
  },
  read: (context, _id, old) =>
    lookAt(context, old, async (machine) => {
      const there = await present(machine, context.signal);
      const found = Object.entries(old.inputs.archives).map(([name, { sha256, refs }]) => {
        return [name, { sha256, refs: refs.filter((ref) => there.refs.has(ref)) }] as const;
      });
      const pulled = old.inputs.pull.filter((ref) => there.refs.has(ref));
      return { inputs: { ...old.inputs, archives: Object.fromEntries(found), pull: pulled }, outputs: {} };
    }),
  async delete(context, _id, { inputs }) {
    const machine = await sameMachine(context, inputs);
    if (!machine) return;
    const refs = [...Object.values(inputs.archives).flatMap((archive) => archive.refs), ...inputs.pull];
    const script = `ctr -n k8s.io images rm ${commandLine(refs)} >/dev/null 2>&1 || true\nrm -rf ${LOADED}`;
    await machine.run(script, { step: "removing images", signal: context.signal });
  },
};

export const imagesResource = register(images);
