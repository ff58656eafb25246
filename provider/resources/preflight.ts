import type { Inputs, Outputs } from "../../contracts/contract";
import { preflightContract } from "../../contracts/cluster/preflight";
import { StepError, messageOf } from "../../common/errors";
import { optional } from "../../common/optional";
import {
  isError,
  preflightFindings,
  renderFindings,
  type Finding,
  type PreflightMachine,
} from "../../render/preflight";
import { readFacts } from "../host/facts";
import { register, type Context, type Handler, type Problem } from "../rpc/handler";
import { userCommand } from "../../common/user-command";

type PreflightInputs = Inputs<typeof preflightContract>;
type PreflightOutputs = Outputs<typeof preflightContract>;

/** Machine-ids of members by name, or all machines of the configuration. */
type Members = Readonly<Record<string, string>> | typeof ALL;
const ALL = "all";

type CheckedMachine = { judged: PreflightMachine } | { unreachable: Finding };

async function checkMachine(
  context: Context,
  machine: PreflightInputs["machines"][number],
  members: Members,
): Promise<CheckedMachine> {
  const { name, connection, role, privateAddress, swapAllowed = false } = machine;
  try {
    const facts = await readFacts(context.connections.get(connection), context.signal);
    const instanceAlreadyMember = members === ALL || members[name] === facts.machineId;
    const memberAs = instanceAlreadyMember
      ? undefined
      : Object.keys(members).find((other) => members[other] === facts.machineId);
    return {
      judged: {
        name,
        address: connection.host,
        role,
        facts,
        swapAllowed,
        instanceAlreadyMember,
        ...optional({ memberAs, privateAddress: privateAddress || undefined }),
      },
    };
  } catch (error) {
    context.signal.throwIfAborted();
    const [cause = "", action = ""] = messageOf(error).split("; ", 2);
    return {
      unreachable: {
        machine: name,
        severity: "error",
        message: cause,
        action: action || "check that it can be reached",
      },
    };
  }
}

/** Merges findings that several machines have in common. */
function mergeFindings(findings: readonly Finding[]): string[] {
  const machines = new Map<string, string[]>();
  for (const { machine, message, action } of findings) {
    const text = `${message}; ${action}`;
    machines.set(text, [...(machines.get(text) ?? []), machine]);
  }
  return [...machines].map(([words, names]) => `${names.join(", ")}: ${words}`);
}

/** Checks all machines in parallel, and reports all their problems in one list. */
async function checkMachines(context: Context, inputs: PreflightInputs, members: Members): Promise<PreflightOutputs> {
  context.status(`checking ${inputs.machines.length} machines`);
  const results = await Promise.all(inputs.machines.map((machine) => checkMachine(context, machine, members)));
  const judged = results.flatMap((result) => ("judged" in result ? [result.judged] : []));
  const unreachable = results.flatMap((result) => ("unreachable" in result ? [result.unreachable] : []));
  const findings = [...unreachable, ...preflightFindings(judged, inputs)];
  const errors = findings.filter(isError);
  if (errors.length > 0) {
    throw new StepError({
      step: "preflight",
      cause: `nothing was changed on any machine\n${renderFindings(findings)}`,
    });
  }
  for (const warning of mergeFindings(findings)) context.warn(warning);
  return { passed: Object.fromEntries(judged.map(({ name, facts }) => [name, facts.machineId])) };
}

function selectPassed({ machines }: PreflightInputs, judged: Record<string, string>): Record<string, string> {
  return Object.fromEntries(machines.map(({ name }) => [name, judged[name] ?? ""]));
}

/** The cluster lives on the disks of its control planes: new ones join through one that stays. */
function findLostCluster(inputs: Partial<PreflightInputs>, old: Partial<PreflightInputs>): Problem[] {
  const controlPlanes = ({ machines = [] }: Partial<PreflightInputs>) =>
    machines.filter(({ role }) => role === "control-plane").map(({ name }) => name);
  const [before, now] = [controlPlanes(old), controlPlanes(inputs)];
  if (before.length < 2 || now.length === 0 || now.some((name) => before.includes(name))) return [];
  return [
    {
      path: "controlPlane",
      reason:
        `none of the control planes ${before.join(", ")} stays, and the cluster would be lost with them; keep at ` +
        `least one of them in this run, or run \`${userCommand("down")}\` and build the cluster again`,
    },
  ];
}

/** Checks all machines before any of them is changed. */
const preflight: Handler<typeof preflightContract> = {
  contract: preflightContract,
  replaceOn: [],
  ignore: ["judged"],
  findImpossibleChanges: findLostCluster,
  async create(context, inputs) {
    const judged = inputs.judged ?? {};
    const whole = inputs.machines.every(({ name }) => judged[name] !== undefined);
    return {
      id: "preflight",
      outputs: whole ? { passed: selectPassed(inputs, judged) } : await checkMachines(context, inputs, judged),
    };
  },
  // The machines are members: what the cluster runs on them is no finding.
  async adopt(context, inputs) {
    return { id: "preflight", outputs: await checkMachines(context, inputs, ALL) };
  },
  update(context, _id, inputs, old) {
    // A machine that passed for one bootstrapper may not pass for the other.
    const passed = inputs.bootstrap === old.inputs.bootstrap ? old.outputs.passed : {};
    return checkMachines(context, inputs, { ...passed, ...inputs.judged });
  },
};

export const preflightResource = register(preflight);
