import type { Inputs, Outputs } from "../../contracts/contract";
import { preflightContract } from "../../contracts/cluster/preflight";
import { StepError, messageOf } from "../../common/errors";
import {
  isError,
  preflightFindings,
  renderFindings,
  type Finding,
  type PreflightMachine,
} from "../../render/preflight";
import { gatherFacts } from "../host/facts";
import { register, type Context, type Handler, type Problem } from "../rpc/handler";

type PreflightInputs = Inputs<typeof preflightContract>;
type PreflightOutputs = Outputs<typeof preflightContract>;

type Looked = { judged: PreflightMachine } | { unreachable: Finding };

async function look(
  context: Context,
  machine: PreflightInputs["machines"][number],
  passed: Record<string, string>,
): Promise<Looked> {
  const { name, connection, role, privateAddress, swapAllowed = false } = machine;
  try {
    const facts = await gatherFacts(context.connections.get(connection), context.signal);
    const instanceAlreadyMember = passed[name] === facts.machineId;
    return {
      judged: {
        name,
        address: connection.host,
        role,
        facts,
        swapAllowed,
        instanceAlreadyMember,
        ...(privateAddress ? { privateAddress } : {}),
      },
    };
  } catch (error) {
    context.signal.throwIfAborted();
    const [cause = "", action = ""] = messageOf(error).split("; ", 2);
    return {
      unreachable: { machine: name, severity: "error", message: cause, action: action || "see that it can be reached" },
    };
  }
}

/** What several machines have in common is said once. */
function merged(findings: readonly Finding[]): string[] {
  const machines = new Map<string, string[]>();
  for (const { machine, message, action } of findings) {
    const words = `${message}; ${action}`;
    machines.set(words, [...(machines.get(words) ?? []), machine]);
  }
  return [...machines].map(([words, names]) => `${names.join(", ")}: ${words}`);
}

/** Checks all machines in parallel, and reports all their problems in one list. */
async function examine(
  context: Context,
  inputs: PreflightInputs,
  passed: Record<string, string>,
): Promise<PreflightOutputs> {
  context.status(`looking at ${inputs.machines.length} machines`);
  const looked = await Promise.all(inputs.machines.map((machine) => look(context, machine, passed)));
  const judged = looked.flatMap((result) => ("judged" in result ? [result.judged] : []));
  const unreachable = looked.flatMap((result) => ("unreachable" in result ? [result.unreachable] : []));
  const findings = [...unreachable, ...preflightFindings(judged, inputs)];
  const errors = findings.filter(isError);
  if (errors.length > 0) {
    throw new StepError({
      step: "preflight",
      cause: `nothing was changed on any machine\n${renderFindings(findings)}`,
    });
  }
  for (const warning of merged(findings)) context.warn(warning);
  return { passed: Object.fromEntries(judged.map(({ name, facts }) => [name, facts.machineId])) };
}

function of({ machines }: PreflightInputs, judged: Record<string, string>): Record<string, string> {
  return Object.fromEntries(machines.map(({ name }) => [name, judged[name] ?? ""]));
}

/** The first control plane created the cluster: if another machine took its place, the cluster would be deleted. */
function findFirstControlPlaneChange(inputs: Partial<PreflightInputs>, old: Partial<PreflightInputs>): Problem[] {
  const controlPlanes = ({ machines = [] }: Partial<PreflightInputs>) =>
    machines.filter(({ role }) => role === "control-plane").map(({ name }) => name);
  const [before, now] = [controlPlanes(old), controlPlanes(inputs)];
  const [first = ""] = before;
  if (before.length < 2 || now.length === 0 || now[0] === first) return [];
  return [
    {
      path: "controlPlane",
      reason:
        `${first} created the cluster, and it must stay the first control plane: without it the cluster would be ` +
        `deleted; list it first again, or run \`npm run down\` and build the cluster again`,
    },
  ];
}

/** Judges all machines before anything is changed on one of them. */
const preflight: Handler<typeof preflightContract> = {
  contract: preflightContract,
  replaceOn: [],
  ignore: ["judged"],
  findImpossibleChanges: findFirstControlPlaneChange,
  async create(context, inputs) {
    const judged = inputs.judged ?? {};
    const whole = inputs.machines.every(({ name }) => judged[name] !== undefined);
    return {
      id: "preflight",
      outputs: whole ? { passed: of(inputs, judged) } : await examine(context, inputs, judged),
    };
  },
  update(context, _id, inputs, old) {
    // What passed for one way of bringing a cluster up has not passed for the other.
    const passed = inputs.bootstrap === old.inputs.bootstrap ? old.outputs.passed : {};
    return examine(context, inputs, { ...passed, ...inputs.judged });
  },
};

export const preflightResource = register(preflight);
