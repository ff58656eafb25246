import type { Inputs } from "../../contracts/contract";
import { encryptionContract } from "../../contracts/kube/encryption";
import { StepError } from "../../common/errors";
import { canRead, writesWith, writingConfiguration } from "../../render/encryption";
import { proveEncryption, rewriteSecrets } from "../kubeadm/encrypted-secrets";
import { readConfiguration, useConfiguration, waitForReload } from "../kubeadm/encryption-config";
import { clusterSetting } from "./cluster-setting";
import { adoptById, register, type Context, type Handler } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

type EncryptionInputs = Inputs<typeof encryptionContract>;
const ID = "encryption";

interface ApiServer {
  machine: Remote;
  /** Its configuration, a secret; undefined if it has none. */
  configuration: string | undefined;
}

async function readApiServers(context: Context, { controlPlanes, path }: EncryptionInputs): Promise<ApiServer[]> {
  return await Promise.all(
    controlPlanes.map(async (connection) => {
      const machine = context.connections.get(connection);
      return { machine, configuration: await readConfiguration(machine, path, context.signal) };
    }),
  );
}

/** Lets every API server write with the newest key once all of them can read it, and encrypts what is stored. */
async function apply(context: Context, inputs: EncryptionInputs): Promise<void> {
  context.begin();
  const apiServers = await readApiServers(context, inputs);
  for (const apiServer of apiServers) requireKeys(apiServer, inputs);
  await Promise.all(apiServers.map((apiServer) => writeWithNewest(context, apiServer, inputs)));
  await proveEncryption(context, { controlPlanes: inputs.controlPlanes, set: inputs });
  const count = await rewriteSecrets(context, await context.kube.api(inputs.controlPlanes, context.signal));
  context.info(`etcd stores ${count} Secrets ${inputs.provider === "identity" ? "as plain text" : "encrypted"}`);
}

function requireKeys({ machine, configuration }: ApiServer, inputs: EncryptionInputs): void {
  if (canRead(configuration, inputs)) return;
  throw new StepError({
    step: "encrypting the Secrets",
    machine: machine.label,
    cause: `${inputs.path} does not have all keys, so that this API server could not read the Secrets of the others`,
    action: "run `npm start -- --refresh`, or `pulumi up --refresh`, which writes the file again",
  });
}

async function writeWithNewest(
  context: Context,
  { machine, configuration = "" }: ApiServer,
  inputs: EncryptionInputs,
): Promise<void> {
  if (writesWith(configuration, inputs)) return await waitForReload(context, machine, configuration);
  const text = writingConfiguration(inputs, configuration);
  await useConfiguration(context, machine, { path: inputs.path, text, before: configuration });
}

async function findProblem(context: Context, inputs: EncryptionInputs): Promise<string | undefined> {
  const apiServers = await readApiServers(context, inputs);
  const others = apiServers.filter(({ configuration }) => !writesWith(configuration, inputs));
  if (others.length === 0) return undefined;
  return `${others.map(({ machine }) => machine.label).join(", ")}: Secrets are not written with the newest key`;
}

/** Encryption of the Secrets in etcd, on all control planes. */
const encryption: Handler<typeof encryptionContract> = {
  contract: encryptionContract,
  replaceOn: ["caCertHash", "path"],
  ignore: ["controlPlanes"],
  ...clusterSetting({ id: ID, apply, findProblem }),
  adopt: adoptById(() => ID),
};

export const encryptionResource = register(encryption);
