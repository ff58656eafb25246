import type { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { outputNames, secretOutputNames } from "../../contracts/contract";
import type { Handler, Recorded } from "./handler";
import { normalize } from "./normalize";
import { decode, encode, isObject, type Properties, SecretPaths } from "./values";

export type State = Recorded<Properties, Properties>;

/**
 * Property of the state: inputs of a failed create, or the inputs before a failed update. Parts of them may be on the
 * machine. The property stays until an update succeeds: the engine's own mark (init errors) ends with a refresh, even
 * if the machine did not answer.
 */
export const UNFINISHED = "__unfinished";

/** A resource's recorded inputs and outputs. Since version 3.0 the engine records inputs separately. */
export function recordedState(handler: Handler, properties: Properties, oldInputs: Properties): State {
  const names = outputNames(handler.contract);
  const inputs = Object.keys(oldInputs).length > 0 ? oldInputs : without(properties, [...names, UNFINISHED]);
  const outputs = Object.fromEntries(names.map((name) => [name, properties[name]]));
  return { inputs: normalize(handler.contract.inputs, inputs), outputs };
}

/**
 * Returns the recorded state, merged with the inputs of all updates that failed since the last success: everything that
 * may be on the machine.
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

/** Merges maps and lists; of other values, returns the newer one. */
function merge(older: unknown, newer: unknown): unknown {
  if (isObject(older) && isObject(newer)) {
    const keys = [...new Set([...Object.keys(older), ...Object.keys(newer)])];
    return Object.fromEntries(keys.map((key) => [key, key in newer ? merge(older[key], newer[key]) : older[key]]));
  }
  if (Array.isArray(older) && Array.isArray(newer)) {
    const existing = new Set(newer.map((element) => JSON.stringify(element)));
    return [
      ...(newer as unknown[]),
      ...(older as unknown[]).filter((element) => !existing.has(JSON.stringify(element))),
    ];
  }
  return newer;
}

function without(state: Properties, names: readonly string[]): Properties {
  return Object.fromEntries(Object.entries(state).filter(([name]) => !names.includes(name)));
}
