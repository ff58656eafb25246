import { obtainMachineRestic } from "../../artifacts/restic";
import type { Inputs } from "../../contracts/contract";
import { backupAccessContract } from "../../contracts/kubeadm/backup-access";
import { RESTIC } from "../../render/backup/access";
import { BACKUP_FOLDER } from "../../render/backup/etcd-programs";
import { BACKUP_RESULT, BACKUP_SERVICE } from "../../render/backup/timer";
import { StepError } from "../../common/errors";
import { installEtcdutl } from "../backup/etcd-programs";
import { ARCHITECTURES } from "../host/facts";
import { inspectFiles, readTextFiles, removeFiles, textFiles, writeFiles } from "../host/files";
import { MACHINE_IGNORE, MACHINE_REPLACE_ON, findMachine, readMachine, requireMachine } from "../host/on-machine";
import { adoptById, register, type Context, type Handler } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

type AccessInputs = Inputs<typeof backupAccessContract>;

const STEP = "writing the access to the repository of backups";

async function apply(context: Context, inputs: AccessInputs, obsolete: readonly string[] = []): Promise<void> {
  const { signal } = context;
  const machine = await requireMachine(context, inputs);
  await installRestic(context, machine);
  await installEtcdutl(machine, await localEtcdutl(context, machine, inputs), signal);
  context.status(STEP);
  await removeFiles(machine, obsolete, STEP, signal);
  await writeFiles(machine, textFiles(inputs.files), STEP, signal);
}

async function installRestic(context: Context, machine: Remote): Promise<void> {
  const { signal } = context;
  const step = "copying restic";
  const { stdout } = await machine.read("uname -m", { step: "reading the architecture", signal });
  const arch = ARCHITECTURES[stdout.trim()] ?? "amd64";
  const { path: source, sha256, size } = await obtainMachineRestic(arch, (message) => context.status(message), signal);
  context.status(step);
  const written = await writeFiles(
    machine,
    [{ path: RESTIC, mode: "0755", sha256, size, body: { source } }],
    step,
    signal,
  );
  if (written.length === 0) return;
  await machine.run(`${RESTIC} version >/dev/null`, {
    step: "starting restic",
    signal,
    action: "install Go on the computer that runs Kubewright, so that restic is built for the machines",
  });
}

async function localEtcdutl(
  { cachedFiles, status, signal }: Context,
  machine: Remote,
  { etcdutl }: AccessInputs,
): Promise<AccessInputs["etcdutl"]> {
  const path = await cachedFiles.obtain(etcdutl.path, status, signal);
  if (path !== undefined) return { ...etcdutl, path };
  throw new StepError({
    step: "copying etcdutl",
    machine: machine.label,
    cause: `${etcdutl.path} is not in the user's cache, and could not be fetched`,
    action: "run the command again without --target",
  });
}

/** Stops a run of the timer, and removes what it and the others have left. Stamps and etcdutl belong to commands too. */
async function removeAll(context: Context, machine: Remote, { files }: AccessInputs): Promise<void> {
  const { signal } = context;
  const step = "removing the access to the repository of backups";
  await machine.run(
    `systemctl stop ${BACKUP_SERVICE} 2>/dev/null || true
rm -rf ${BACKUP_FOLDER}/scheduled.* ${BACKUP_FOLDER}/restic-cache ${BACKUP_RESULT}`,
    { step, signal },
  );
  await removeFiles(machine, [RESTIC, ...Object.keys(files)], step, signal);
}

const idOf = ({ instance }: AccessInputs) => `${instance}/backup-access`;

/** What a control plane needs to back up the cluster itself, on a schedule. */
const backupAccess: Handler<typeof backupAccessContract> = {
  contract: backupAccessContract,
  replaceOn: MACHINE_REPLACE_ON,
  ignore: MACHINE_IGNORE,
  async create(context, inputs) {
    await apply(context, inputs);
    return { id: idOf(inputs), outputs: {} };
  },
  adopt: adoptById(idOf),
  async update(context, _id, inputs, { inputs: old }) {
    await apply(
      context,
      inputs,
      Object.keys(old.files).filter((path) => !(path in inputs.files)),
    );
    return {};
  },
  read: (context, _id, old) =>
    readMachine(context, old, async (machine) => {
      const [files, programs] = await Promise.all([
        readTextFiles(machine, old.inputs.files, context.signal),
        inspectFiles(machine, [RESTIC], context.signal),
      ]);
      // Without restic, the next `up` writes everything again.
      return files && { ...old, inputs: { ...old.inputs, files: programs.has(RESTIC) ? files : {} } };
    }),
  async delete(context, _id, { inputs }) {
    const machine = await findMachine(context, inputs);
    if (machine) await removeAll(context, machine, inputs);
  },
};

export const backupAccessResource = register(backupAccess);
