import type { Inputs } from "../../contracts/contract";
import { unitContract } from "../../contracts/host/unit";
import { quote } from "../../common/quote";
import { sha256Schema } from "../../contracts/files";
import { put, removeData, removeFiles, seenFiles, textFiles } from "../host/files";
import { HOST_IGNORES, HOST_REPLACES, lookAt, sameMachine, theMachine } from "../host/on-machine";
import { untilHealthy } from "../host/health";
import { runningProgram, unitState, type UnitState } from "../host/systemd";
import { register, type Context, type Handler } from "../rpc/handler";
import type { Remote } from "../ssh/remote";

type UnitInputs = Inputs<typeof unitContract>;

const START_TIMEOUT_SECONDS = 60;

async function apply(context: Context, inputs: UnitInputs, restart: boolean): Promise<void> {
  const machine = await theMachine(context, inputs);
  const { unit } = inputs;
  const { signal } = context;
  context.status(`writing ${unit}`);
  const files = textFiles(inputs.files);
  const [written, state] = await Promise.all([
    put(machine, files, `writing ${unit}`, signal),
    unitState(machine, unit, signal, inputs.startWhenExists),
  ]);
  const commands = commandsFor(inputs, state, written.length > 0, restart);
  if (commands.length > 0) {
    context.status(`starting ${unit}`);
    await machine.run(["set -e", ...commands].join("\n"), {
      step: `starting ${unit}`,
      signal,
      timeout: START_TIMEOUT_SECONDS,
      action: `see \`journalctl -u ${unit}\` on the machine`,
    });
  }
  if (inputs.health && inputs.running)
    await untilHealthy(context, machine, unit, inputs.health, `\`journalctl -u ${unit}\``);
}

/** From what is to what should be. Enabling would reload systemd by itself, a second time: reloading is slow. */
function commandsFor(inputs: UnitInputs, state: UnitState, written: boolean, restart: boolean): string[] {
  const name = quote(inputs.unit);
  const run = inputs.running && state.startable;
  const start = run && (restart || written || !state.active);
  const lastWords = `{ journalctl -u ${name} -n 5 --no-pager -o cat >&2; exit 1; }`;
  return [
    ...(state.masked ? [`systemctl unmask ${name}`] : []),
    ...(inputs.enabled && !state.enabled ? [`systemctl enable --quiet --no-reload ${name}`] : []),
    ...(!inputs.enabled && state.enabled ? [`systemctl disable --quiet --no-reload ${name}`] : []),
    ...(written || state.masked ? ["systemctl daemon-reload"] : []),
    ...(start && state.failed ? [`systemctl reset-failed ${name}`] : []),
    ...(start
      ? [`systemctl restart ${name} || ${lastWords}`, `systemctl is-active --quiet ${name} || ${lastWords}`]
      : []),
    ...(!inputs.running && state.active ? [`systemctl stop ${name}`] : []),
  ];
}

/** A binary that was replaced by hand is put back by its own resource; a unit that was started with it must be started anew. */
async function runsAnother(
  machine: Remote,
  { unit, restartOn = {} }: UnitInputs,
  signal: AbortSignal,
): Promise<string | undefined> {
  const wanted = Object.values(restartOn).filter((hash) => sha256Schema.safeParse(hash).success);
  if (wanted.length === 0) return undefined;
  const runs = await runningProgram(machine, unit, signal);
  return runs === undefined || wanted.includes(runs) ? undefined : "running another program than the configured one";
}

async function found(machine: Remote, inputs: UnitInputs, signal: AbortSignal): Promise<UnitInputs | undefined> {
  const looks = [
    seenFiles(machine, inputs.files, signal),
    unitState(machine, inputs.unit, signal, inputs.startWhenExists),
    runsAnother(machine, inputs, signal),
  ] as const;
  const [files, state, another] = await Promise.all(looks);
  if (!files) return undefined;
  const run = inputs.running && state.startable;
  const problem = state.masked ? "masked" : run && !state.active ? "not running" : another;
  const { problem: _, ...rest } = inputs;
  return {
    ...rest,
    files,
    enabled: state.enabled,
    running: run || !inputs.running ? state.active : inputs.running,
    ...(problem ? { problem } : {}),
  };
}

/** A systemd unit with its files: written, enabled and running. */
const unit: Handler<typeof unitContract> = {
  contract: unitContract,
  replaceOn: [...HOST_REPLACES, "unit"],
  ignore: [...HOST_IGNORES, "health"],
  async create(context, inputs) {
    await apply(context, inputs, true);
    return { id: `${inputs.instance}/${inputs.unit}`, outputs: {} };
  },
  async update(context, _id, inputs, old) {
    const machine = await theMachine(context, inputs);
    const dropped = Object.keys(old.inputs.files).filter((path) => !(path in inputs.files));
    await removeFiles(machine, dropped, `writing ${inputs.unit}`, context.signal);
    const triggered = JSON.stringify(inputs.restartOn ?? {}) !== JSON.stringify(old.inputs.restartOn ?? {});
    await apply(context, inputs, triggered || dropped.length > 0 || old.inputs.problem !== undefined);
    return {};
  },
  read: (context, _id, old) =>
    lookAt(context, old, async (machine) => {
      const inputs = await found(machine, old.inputs, context.signal);
      return inputs && { inputs, outputs: {} };
    }),
  async delete(context, _id, { inputs }) {
    const machine = await sameMachine(context, inputs);
    if (!machine) return;
    const step = `removing ${inputs.unit}`;
    const { signal } = context;
    await machine.run(`systemctl disable --quiet --now ${quote(inputs.unit)} 2>/dev/null || true`, { step, signal });
    await removeFiles(machine, Object.keys(inputs.files), step, signal);
    await machine.run("systemctl daemon-reload", { step, signal });
    await removeData(machine, inputs.state ?? [], step, signal);
  },
};

export const unitResource = register(unit);
