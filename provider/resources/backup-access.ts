import { obtainMachineRestic } from "../../artifacts/restic";
import { StepError, messageOf } from "../../common/errors";
import type { Inputs } from "../../contracts/contract";
import type { TextFiles } from "../../contracts/files";
import { backupAccessContract } from "../../contracts/kubeadm/backup-access";
import { RESTIC } from "../../render/backup/access";
import { BACKUP_FOLDER } from "../../render/backup/etcd-programs";
import { BACKUP_RESULT, BACKUP_SERVICE, DRILL_RESULT, DRILL_SERVICE } from "../../render/backup/timer";
import { installEtcdutl } from "../backup/etcd-programs";
import { proveAccess } from "../backup/prove-access";
import { ARCHITECTURES } from "../host/facts";
import { inspectFiles, readTextFiles, removeFiles, textFiles, writeFiles } from "../host/files";
import { MACHINE_IGNORE, MACHINE_REPLACE_ON, findMachine, readMachine, requireMachine } from "../host/on-machine";
import { adoptById, register, type Context, type Handler } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

type AccessInputs = Inputs<typeof backupAccessContract>;

const STEP = "writing the access to the repository of backups";

async function write(context: Context, machine: Remote, inputs: AccessInputs): Promise<void> {
  await installRestic(context, machine);
  await installEtcdutl(machine, await localEtcdutl(context, machine, inputs), context.signal);
  context.status(STEP);
  await writeFiles(machine, textFiles(inputs.files), STEP, context.signal);
}

interface Proof {
  /** Whether a repository that does not exist is created. */
  creates: boolean;
  /** Restores what was on the machine before. */
  restore: () => Promise<void>;
  /** What the error reports about the machine after that. */
  restored: string;
}

/** Proves that the machine opens the repository with its files. Otherwise what was there before is restored. */
async function prove(context: Context, machine: Remote, inputs: AccessInputs, proof: Proof): Promise<void> {
  const { creates, restore, restored } = proof;
  try {
    await proveAccess(context, machine, inputs, creates);
  } catch (error) {
    context.signal.throwIfAborted();
    try {
      await restore();
    } catch (failure) {
      context.signal.throwIfAborted();
      context.warn(`${context.name} was not restored: ${messageOf(failure)}`);
      throw error;
    }
    context.undo();
    if (!(error instanceof StepError)) throw error;
    throw new StepError({ ...error.failure, cause: `${error.failure.cause}; ${restored}` });
  }
}

/** Writes files that were read from the machine, and removes the others. */
async function restoreFiles(machine: Remote, before: TextFiles, all: TextFiles, signal: AbortSignal): Promise<void> {
  const added = Object.keys(all).filter((path) => !(path in before));
  await removeFiles(machine, added, STEP, signal);
  await writeFiles(machine, textFiles(before), STEP, signal);
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

/** Stops a run of the timer, and removes what it and others have left. Stamps and etcdutl belong to commands too. */
async function removeAll(context: Context, machine: Remote, { files }: AccessInputs): Promise<void> {
  const { signal } = context;
  const step = "removing the access to the repository of backups";
  await machine.run(
    `systemctl stop ${BACKUP_SERVICE} ${DRILL_SERVICE} 2>/dev/null || true
systemctl reset-failed ${BACKUP_SERVICE} ${DRILL_SERVICE} 2>/dev/null || true
rm -rf ${BACKUP_FOLDER}/restic-cache ${[BACKUP_RESULT, DRILL_RESULT].map((path) => `${path} ${path}.*`).join(" ")}`,
    { step, signal },
  );
  await removeFiles(machine, [RESTIC, ...Object.keys(files)], step, signal);
}

const idOf = ({ instance }: AccessInputs) => `${instance}/backup-access`;

/** What a control plane needs to back up the cluster itself, on a schedule. */
const backupAccess: Handler<typeof backupAccessContract> = {
  contract: backupAccessContract,
  replaceOn: MACHINE_REPLACE_ON,
  ignore: [...MACHINE_IGNORE, "creates"],
  async create(context, inputs) {
    const machine = await requireMachine(context, inputs);
    await write(context, machine, inputs);
    await prove(context, machine, inputs, {
      creates: inputs.creates,
      restore: () => removeAll(context, machine, inputs),
      restored: "the password and the keys were removed from the machine",
    });
    return { id: idOf(inputs), outputs: {} };
  },
  adopt: adoptById(idOf),
  async update(context, _id, inputs, { inputs: old, unfinished = false }) {
    const { signal } = context;
    const machine = await requireMachine(context, inputs);
    const all = { ...old.files, ...inputs.files };
    const before = (await readTextFiles(machine, all, signal)) ?? {};
    const obsolete = Object.keys(old.files).filter((path) => !(path in inputs.files));
    await removeFiles(machine, obsolete, STEP, signal);
    await write(context, machine, inputs);
    await prove(context, machine, inputs, {
      creates: inputs.creates && (unfinished || old.repository !== inputs.repository),
      restore: () => restoreFiles(machine, before, all, signal),
      restored: "the previous password and keys were restored on the machine",
    });
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
