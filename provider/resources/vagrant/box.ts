import type { Inputs } from "../../../contracts/contract";
import { vagrantBoxContract } from "../../../contracts/vagrant/box";
import { vagrantName } from "../../../render/vagrantfile";
import { commandError, runCommand, tryCommand } from "../../../common/process";
import { ensureDaemon, findDaemon } from "../../docker/daemon";
import { findImageId } from "../../docker/image";
import type { Context, Handler } from "../../rpc/handler";
import { ensureDockerBox } from "../../vagrant/docker-box";
import { checkVagrant } from "./machine";

type BoxInputs = Inputs<typeof vagrantBoxContract>;

const DOWNLOAD_SECONDS = 3600;

/** A Vagrant box on the controller. Vagrant keeps it as a cache when the resource is deleted. */
export const boxResource: Handler<typeof vagrantBoxContract> = {
  contract: vagrantBoxContract,
  check: ({ provider }, { vagrantProblems }) => checkVagrant(vagrantProblems, provider),
  create,
  // A box is a cache on this computer, not a part of the cluster.
  adopt: create,
  async read({ signal }, id, old) {
    const exists =
      old.inputs.provider === "docker"
        ? !(await findDaemon(signal)) || (await findImageId(id, signal)) !== undefined
        : await hasBox(old.inputs, signal);
    return exists ? old : undefined;
  },
};

async function create(context: Context, inputs: BoxInputs): Promise<{ id: string; outputs: { ref: string } }> {
  const ref = inputs.provider === "docker" ? await buildDockerBox(context, inputs) : await addBox(context, inputs);
  return { id: ref, outputs: { ref } };
}

async function buildDockerBox(
  { docker, settings, status, signal }: Context,
  { image = "" }: BoxInputs,
): Promise<string> {
  await ensureDaemon(settings.dockerEnvironment, status, signal);
  return await ensureDockerBox(image, docker, status, signal);
}

async function addBox({ status, signal }: Context, inputs: BoxInputs): Promise<string> {
  const { provider, box = "", version } = inputs;
  if (await hasBox(inputs, signal)) return box;
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
    action: `check that the box exists for provider ${provider}, or run \`vagrant box add --name ${box} FILE\``,
    env: NO_UPDATE_CHECK,
  };
  const outcome = await tryCommand("vagrant", args, options);
  if (outcome.code !== 0) throw commandError("vagrant", outcome, options);
  return box;
}

const NO_UPDATE_CHECK = { VAGRANT_CHECKPOINT_DISABLE: "1" };

async function hasBox({ provider, box = "", version }: BoxInputs, signal: AbortSignal): Promise<boolean> {
  const options = { step: "list Vagrant's boxes", signal, timeout: 60, env: NO_UPDATE_CHECK };
  const list = await runCommand("vagrant", ["box", "list", "--machine-readable"], options);
  return parseBoxes(list).some(
    (entry) =>
      entry.box === box &&
      entry.provider === vagrantName(provider) &&
      (version === undefined || entry.version === version),
  );
}

/** Parses `vagrant box list --machine-readable`, whose rows come in groups that begin with a box's name. */
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
