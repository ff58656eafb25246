import type { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { outputNames, secretOutputNames } from "../../contracts/contract";
import type { Handler, Recorded } from "./handler";
import { normalize } from "./normalize";
import { decode, encode, isObject, type Properties, SecretPaths } from "./values";

export type State = Recorded<Properties, Properties>;

/**
 * Property of the state: the inputs of a create that failed, or those that a failed update was to replace. Something of
 * them may be on the machine. It stays until an update succeeds: the engine's own mark (init errors) ends with a refresh,
 * also if the machine did not answer.
 */
export const UNFINISHED = "__unfinished";

/** A resource's recorded inputs and outputs. The engine keeps inputs apart since version 3.0; older states do not. */
export function recordedState(handler: Handler, properties: Properties, oldInputs: Properties): State {
  const names = outputNames(handler.contract);
  const inputs = Object.keys(oldInputs).length > 0 ? oldInputs : without(properties, [...names, UNFINISHED]);
  const outputs = Object.fromEntries(names.map((name) => [name, properties[name]]));
  return { inputs: normalize(handler.contract.inputs, inputs), outputs };
}

/**
 * As `recordedState`, but with the inputs of all updates that failed since the last success: what may be on the
 * machine.
 */
export function possibleState(handler: Handler, properties: Properties, oldInputs: Properties): State {
  const state = recordedState(handler, properties, oldInputs);
  const unfinished = unfinishedInputs(properties);
  if (!isObject(unfinished)) return state;
  return { ...state, inputs: merge(normalize(handler.contract.inputs, unfinished), state.inputs) as Properties };
}

/** @param unfinished inputs of updates that failed, if any */
export function encodeState(
  handler: Handler,
  { inputs, outputs }: { inputs: object; outputs: object },
  secrets: SecretPaths,
  unfinished?: unknown,
): Struct {
  const all = secrets.with(secretOutputNames(handler.contract)).with([UNFINISHED]);
  return encode({ ...inputs, ...outputs, [UNFINISHED]: unfinished }, all);
}

/** Whether the last create or update failed after it had begun, so that the next `up` must complete it. */
export function isUnfinished(properties: Properties): boolean {
  return unfinishedInputs(properties) !== undefined;
}

/** Inputs of operations that failed since the last success; undefined if there are none. */
export function unfinishedInputs(properties: Properties): unknown {
  return properties[UNFINISHED];
}

/** Decodes inputs with the paths of their secrets. */
export function decodeInputs(struct: Struct | undefined): { inputs: Properties; secrets: SecretPaths } {
  const secrets = new SecretPaths();
  return { inputs: decode(struct, secrets), secrets };
}

/** Merges maps and lists; of other values the newer one stays. */
function merge(older: unknown, newer: unknown): unknown {
  if (isObject(older) && isObject(newer)) {
    const keys = [...new Set([...Object.keys(older), ...Object.keys(newer)])];
    return Object.fromEntries(keys.map((key) => [key, key in newer ? merge(older[key], newer[key]) : older[key]]));
  }
  if (Array.isArray(older) && Array.isArray(newer)) {
    const known = new Set(newer.map((element) => JSON.stringify(element)));
    return [...(newer as unknown[]), ...(older as unknown[]).filter((element) => !known.has(JSON.stringify(element)))];
  }
  return newer;
}

function without(state: Properties, names: readonly string[]): Properties {
  return Object.fromEntries(Object.entries(state).filter(([name]) => !names.includes(name)));
}
