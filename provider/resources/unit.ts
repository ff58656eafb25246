import semver from "semver";
import type { Inputs } from "../../contracts/contract";
import type { TextFiles } from "../../contracts/files";
import { unitContract } from "../../contracts/host/unit";
import { emptyFolders, readTextFiles, removeFiles, textFiles, writeFiles } from "../host/files";
import { findNewFolders, recordFolders, restoreUnitState, stopUnit } from "../host/machine-record";
import { MACHINE_IGNORE, MACHINE_REPLACE_ON, findMachine, readMachine, requireMachine } from "../host/on-machine";
import { dropKeptProgram, keepProgram, programHashes, readKeptVersions } from "../host/kept-program";
import { hashRunningProgram, readUnitState, unitProblem, type UnitState } from "../host/systemd";
import { canReload, planCommands, runCommands } from "../host/unit-commands";
import { restoreUnit } from "../host/unit-restore";
import { probeUnit, waitUntilUnitHealthy } from "../host/unit-health";
import {
  actionAfterPutBack,
  type ComponentVersion,
  findImpossibleComponent,
  isPrepared,
  isUpgradedEtcd,
  prepareComponent,
} from "../kubeadm/component-upgrade";
import { type EtcdUpgrade, KeptEtcdError, proveEtcdRestored, proveEtcdUpgrade } from "../kubeadm/etcd-upgrade";
import { waitForNodeAfterOutage } from "../kubeadm/node-after-outage";
import { findUnknownGate } from "../kubelet/impossible-changes";
import { proveNodeReported, wasReady } from "../kubelet/node-reported";
import { adoptById, register, type Context, type Handler } from "../rpc/handler";
import { proveServingCertificate } from "../kubelet/prove-serving";
import type { Remote } from "../ssh/remote";

type UnitInputs = Inputs<typeof unitContract>;

interface Change {
  /** Files of the unit that the inputs no longer have. */
  obsolete: TextFiles;
  restart: boolean;
  /** Whether files that exist are not Kubewright's, and are restored on delete. */
  keepsPrevious: boolean;
  /** Version of Kubernetes that the unit belonged to before. */
  from?: string | undefined;
}

/**
 * Brings the unit to its configured state and proves it healthy. If a running unit does not become healthy with changed
 * files or a changed program, its previous ones are restored, and the error reports that.
 */
async function apply(context: Context, inputs: UnitInputs, change: Change): Promise<void> {
  const { signal } = context;
  const { unit, files, node } = inputs;
  const { obsolete } = change;
  const machine = await requireMachine(context, inputs);
  const [before, state] = await Promise.all([
    readTextFiles(machine, { ...obsolete, ...files }, signal),
    readUnitState(machine, unit, signal, inputs.startWhenExists),
  ]);
  const mustBeReady = node && state.active ? await wasReady(context, machine, node) : true;
  const prove = async () => {
    await waitUntilUnitHealthy(context, machine, inputs);
    if (node) await proveNodeReported(context, machine, node, mustBeReady);
  };
  let upgrade: EtcdUpgrade | undefined;
  try {
    await removeFiles(machine, Object.keys(obsolete), `writing ${unit}`, signal);
    const started = await writeAndStart(context, machine, inputs, state, change);
    if (started) upgrade = await readEtcdUpgrade(machine, inputs, signal);
    if (started || (inputs.running && (inputs.health ?? inputs.probe))) await prove();
    if (started && node) await proveServingCertificate(context, machine, node);
    if (upgrade) await proveEtcdUpgrade(context, machine, upgrade);
    if (started && state.active) await dropKeptProgram(machine, unit, signal);
  } catch (error) {
    const wasHealthy = before !== undefined && unitProblem(state) === undefined;
    const isRestored =
      wasHealthy && !signal.aborted && !(error instanceof KeptEtcdError)
        ? await restoreUnit(context, machine, {
            unit,
            files,
            before,
            obsolete,
            wasEnabled: state.enabled,
            error,
            prove: async () => {
              await prove();
              if (upgrade) await proveEtcdRestored(context, machine, upgrade);
            },
            settle: isPrepared(nameOf(unit)) ? () => waitForNodeAfterOutage(context, machine) : undefined,
            action: actionAfterPutBack(componentOf(inputs), change.from),
          })
        : undefined;
    if (isRestored) throw isRestored;
    // The change is on the machine: the next run continues from here.
    context.begin(idOf(inputs));
    throw error;
  }
}

/** @returns undefined if the unit is not etcd, or its program stays. After an interruption, the first one is kept. */
async function readEtcdUpgrade(
  machine: Remote,
  inputs: UnitInputs,
  signal: AbortSignal,
): Promise<EtcdUpgrade | undefined> {
  if (!isUpgradedEtcd(componentOf(inputs))) return undefined;
  const versions = await readKeptVersions(machine, inputs.unit, signal);
  if (versions === undefined) return undefined;
  const [from, to] = [semver.coerce(versions.previous)?.version, semver.coerce(versions.current)?.version];
  return { from, to, logs: "`journalctl -u kube-apiserver`" };
}

/** @returns whether the unit was started or reloaded */
async function writeAndStart(
  context: Context,
  machine: Remote,
  inputs: UnitInputs,
  state: UnitState,
  { restart, keepsPrevious }: Change,
): Promise<boolean> {
  const { signal } = context;
  const { unit } = inputs;
  context.status(`writing ${unit}`);
  const written = await writeFiles(machine, textFiles(inputs.files), `writing ${unit}`, signal, { keepsPrevious });
  const starts = inputs.running && state.startable && (restart || written.length > 0 || !state.active);
  const reloads = starts && !restart && canReload(inputs, state, written);
  const commands = planCommands(inputs, state, { written: written.length > 0, starts, reloads });
  if (commands.length === 0) return false;
  if (starts && state.active) await keepProgram(machine, inputs, signal);
  context.status(`${reloads ? "reloading" : "starting"} ${unit}`);
  await runCommands(machine, unit, commands, signal);
  return starts;
}

/** Returns a problem if the unit still runs a program that was replaced on disk since its start. */
async function findOtherProgram(
  machine: Remote,
  { unit, restartOn, keepsProgram }: UnitInputs,
  signal: AbortSignal,
): Promise<string | undefined> {
  const expected = keepsProgram ? [] : programHashes(restartOn);
  if (expected.length === 0) return undefined;
  const hash = await hashRunningProgram(machine, unit, signal);
  return hash === undefined || expected.includes(hash) ? undefined : "running another program than the configured one";
}

async function readUnit(machine: Remote, inputs: UnitInputs, signal: AbortSignal): Promise<UnitInputs | undefined> {
  const [files, state, otherProgram, missing] = await Promise.all([
    readTextFiles(machine, inputs.files, signal),
    readUnitState(machine, inputs.unit, signal, inputs.startWhenExists),
    findOtherProgram(machine, inputs, signal),
    probeUnit(machine, inputs, signal),
  ]);
  if (!files) return undefined;
  const shouldRun = inputs.running && state.startable;
  const problem = shouldRun ? (unitProblem(state) ?? missing ?? otherProgram) : state.masked ? "masked" : undefined;
  const { problem: _, ...rest } = inputs;
  return {
    ...rest,
    files,
    enabled: state.enabled,
    running: shouldRun || !inputs.running ? state.active : inputs.running,
    ...(problem ? { problem } : {}),
  };
}

const nameOf = (unit: string) => unit.replace(/\.service$/, "");

/** Returns the component that a unit may be. Unknown values of a preview are undefined. */
function componentOf({ unit = "", instance, kubernetes }: Partial<UnitInputs>): ComponentVersion {
  return { component: nameOf(unit), instance, kubernetes };
}

/** Prepares another program of etcd or of the API server. An interrupted run may have started it already. */
async function prepare(context: Context, inputs: UnitInputs, { kubernetes: from }: UnitInputs): Promise<void> {
  const { unit, kubernetes: to, connection, restartOn } = inputs;
  if (to === undefined) return;
  const machine = await requireMachine(context, inputs);
  const running = await hashRunningProgram(machine, unit, context.signal);
  if (running === undefined || programHashes(restartOn).includes(running)) return;
  await prepareComponent(context, machine, { component: nameOf(unit), from, to, connection });
}

function idOf({ instance, unit }: UnitInputs): string {
  return `${instance}/${unit}`;
}

/** Files of the recorded unit that the new inputs no longer have. */
function obsoleteFiles(old: TextFiles, files: TextFiles): TextFiles {
  return Object.fromEntries(Object.entries(old).filter(([path]) => !(path in files)));
}

/** A systemd unit with its files: written, enabled, running, and checked to be healthy after each start. */
const unit: Handler<typeof unitContract> = {
  contract: unitContract,
  replaceOn: [...MACHINE_REPLACE_ON, "unit"],
  ignore: [...MACHINE_IGNORE, "health", "probe", "node", "keepsProgram", "kubernetes"],
  findImpossibleChanges: (now, old) => [
    ...findImpossibleComponent(componentOf(now), componentOf(old)),
    ...findUnknownGate(now, old),
  ],
  async create(context, inputs) {
    await apply(context, inputs, { obsolete: {}, restart: true, keepsPrevious: true });
    return { id: idOf(inputs), outputs: {} };
  },
  adopt: adoptById(idOf),
  async update(context, _id, inputs, { inputs: old, unfinished = false }) {
    const obsolete = obsoleteFiles(old.files, inputs.files);
    const isTriggered =
      !inputs.keepsProgram && JSON.stringify(inputs.restartOn ?? {}) !== JSON.stringify(old.restartOn ?? {});
    // A failed update may have written the files without the restart.
    const restart = isTriggered || unfinished || Object.keys(obsolete).length > 0 || old.problem !== undefined;
    const added = (inputs.state ?? []).filter((folder) => !old.state?.includes(folder));
    if (isTriggered) await prepare(context, inputs, old);
    if (added.length > 0) await recordFolders(await requireMachine(context, inputs), added, context.signal);
    await apply(context, inputs, { obsolete, restart, keepsPrevious: false, from: old.kubernetes });
    return {};
  },
  read: (context, _id, old) =>
    readMachine(context, old, async (machine) => {
      const inputs = await readUnit(machine, old.inputs, context.signal);
      return inputs && { inputs, outputs: {} };
    }),
  async delete(context, _id, { inputs }) {
    const machine = await findMachine(context, inputs);
    if (!machine) return;
    const step = `removing ${inputs.unit}`;
    const { signal } = context;
    await stopUnit(machine, inputs.unit, step, signal);
    await dropKeptProgram(machine, inputs.unit, signal);
    // The files are last: without them, a refresh after an interruption would report the unit as gone.
    await emptyFolders(machine, await findNewFolders(machine, inputs.state ?? [], signal), step, signal);
    await removeFiles(machine, Object.keys(inputs.files), step, signal);
    await machine.run("systemctl daemon-reload", { step, signal });
    await restoreUnitState(machine, inputs.unit, signal);
  },
};

export const unitResource = register(unit);
