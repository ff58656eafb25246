import { z } from "zod";
import { VAGRANT_PROVIDERS, type VagrantProvider, vagrantName } from "../../render/vagrantfile";
import { attempt, failure, run } from "../docker/command";
import { ensureDaemon, findDaemon } from "../docker/daemon";
import { imageId } from "../docker/image";
import type { Context, Handler } from "../rpc/handler";
import { ensureDockerBox } from "./docker-box";
import { troubles } from "./machine-resource";

interface Inputs {
  provider: VagrantProvider;
  /** `fedora/41-cloud-base` */
  box?: string | undefined;
  version?: string | undefined;
  /** With the docker provider: the machine image that becomes the box. */
  image?: string | undefined;
}

interface Outputs {
  /** What machines are made of: the box's name, or the image's reference. */
  ref: string;
}

const DOWNLOAD_SECONDS = 3600;

/** A box on this computer, before any machine is made of it. It is a cache: deleting the resource leaves it with Vagrant. */
export const boxResource: Handler<Inputs, Outputs> = {
  schema: z
    .strictObject({
      provider: z.enum(VAGRANT_PROVIDERS),
      box: z.string().optional(),
      version: z.string().optional(),
      image: z.string().optional(),
    })
    .refine(({ provider, box, image }) => (provider === "docker" ? image : box) !== undefined, {
      path: ["box"],
      error: "name the box (with the docker provider: the image)",
    }),
  outputs: ["ref"],
  check: ({ provider }, { vagrantTroubles }) => troubles(vagrantTroubles, provider),
  create: async (context, inputs) => {
    const ref = inputs.provider === "docker" ? await dockerBox(context, inputs) : await vagrantBox(context, inputs);
    return { id: ref, outputs: { ref } };
  },
  async read({ signal }, id, old) {
    const there =
      old.inputs.provider === "docker"
        ? !(await findDaemon(signal)) || (await imageId(id, signal)) !== undefined
        : await isThere(old.inputs, signal);
    return there ? old : undefined;
  },
};

async function dockerBox({ docker, status, signal }: Context, { image = "" }: Inputs): Promise<string> {
  await ensureDaemon(status, signal);
  return await ensureDockerBox(image, docker, status, signal);
}

async function vagrantBox({ status, signal }: Context, inputs: Inputs): Promise<string> {
  const { provider, box = "", version } = inputs;
  if (await isThere(inputs, signal)) return box;
  status(`vagrant box add ${box}`);
  const args = [
    "box",
    "add",
    "--no-color",
    "--provider",
    vagrantName(provider),
    ...(version === undefined ? [] : ["--box-version", version]),
    box,
  ];
  const options = {
    step: `vagrant box add ${box}${version === undefined ? "" : ` ${version}`}`,
    signal,
    timeout: DOWNLOAD_SECONDS,
    action: `see that the box is offered for provider ${provider}, or add it by hand (\`vagrant box add --name ${box} FILE\`)`,
    env: QUIET,
  };
  const outcome = await attempt("vagrant", args, options);
  if (outcome.code !== 0) throw failure("vagrant", outcome, options);
  return box;
}

const QUIET = { VAGRANT_CHECKPOINT_DISABLE: "1" };

async function isThere({ provider, box = "", version }: Inputs, signal: AbortSignal): Promise<boolean> {
  const list = await run("vagrant", ["box", "list", "--machine-readable"], {
    step: "listing Vagrant's boxes",
    signal,
    timeout: 60,
    env: QUIET,
  });
  return parseBoxes(list).some(
    (found) =>
      found.box === box &&
      found.provider === vagrantName(provider) &&
      (version === undefined || found.version === version),
  );
}

/** Pure: the boxes of `vagrant box list --machine-readable`, whose rows come in groups that begin with a name. */
export function parseBoxes(text: string): { box: string; provider: string; version: string }[] {
  const boxes: { box: string; provider: string; version: string }[] = [];
  for (const line of text.split("\n")) {
    const [, , type, value = ""] = line.trim().split(",");
    const last = boxes.at(-1);
    if (type === "box-name") boxes.push({ box: value, provider: "", version: "" });
    else if (type === "box-provider" && last) last.provider = value;
    else if (type === "box-version" && last) last.version = value;
  }
  return boxes;
}
