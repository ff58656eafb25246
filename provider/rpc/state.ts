import type { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { outputNames, secretOutputNames } from "../../contracts/contract";
import { secretPaths } from "../../contracts/secret";
import type { Handler, Recorded } from "./handler";
import { changesBetween } from "./diff";
import { normalize } from "./normalize";
import { decode, encode, isObject, type Properties, SecretPaths } from "./values";

export type State = Recorded<Properties, Properties>;

/**
 * Property of the state after a failed create or update. Its value is `true` if only the recorded inputs may be on the
 * machine; otherwise it is the other inputs of which parts may be there, such as those before a failed update. In
 * states of older versions, a failed create has its inputs here. The property stays until an update succeeds:
 * the engine's own mark (init errors) ends with a refresh, even if the machine did not answer.
 */
export const UNFINISHED = "__unfinished";

/** A resource's recorded inputs and outputs. Since version 3.0 the engine records inputs separately. */
export function recordedState(handler: Handler, properties: Properties, oldInputs: Properties): State {
  const names = outputNames(handler.contract);
  const inputs = Object.keys(oldInputs).length > 0 ? oldInputs : without(properties, [...names, UNFINISHED]);
  const outputs = Object.fromEntries(names.map((name) => [name, properties[name]]));
  return { inputs: normalize(handler.contract.inputs, inputs), outputs, unfinished: isUnfinished(properties) };
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

/** @param unfinished value of `UNFINISHED`; undefined if the last operation succeeded */
export function encodeState(
  handler: Handler,
  { inputs, outputs }: { inputs: object; outputs: object },
  secrets: SecretPaths,
  unfinished?: unknown,
): Struct {
  const names = [...secretOutputNames(handler.contract), ...(isObject(unfinished) ? [UNFINISHED] : [])];
  const all = withInputSecrets(handler, inputs, secrets).with(names);
  return encode({ ...inputs, ...outputs, [UNFINISHED]: unfinished }, all);
}

/** Encodes inputs. The secrets of the contract are secrets even if the program passed them in plain text. */
export function encodeInputs(handler: Handler, inputs: object, secrets: SecretPaths): Struct {
  return encode(inputs, withInputSecrets(handler, inputs, secrets));
}

/** Adds the paths of the values that the contract declares as secret. */
export function withInputSecrets({ contract }: Handler, inputs: object, secrets: SecretPaths): SecretPaths {
  return secrets.including(secretPaths(contract.inputs, inputs));
}

/** Whether the last create or update failed after it had begun, so that the next `up` must complete it. */
export function isUnfinished(properties: Properties): boolean {
  return unfinishedInputs(properties) !== undefined;
}

function unfinishedInputs(properties: Properties): unknown {
  return properties[UNFINISHED];
}

/**
 * Returns the value of `UNFINISHED` after a refresh. A refresh records the inputs that it has found, so those that it
 * has not found are kept here: an interrupted command may still write them.
 */
export function unfinishedAfterRefresh(handler: Handler, properties: Properties, old: State, current: State): unknown {
  if (!isUnfinished(properties)) return current.unfinished ? true : undefined;
  if (changesBetween(old.inputs, current.inputs, handler.contract.inputs).length === 0)
    return unfinishedInputs(properties);
  return possibleState(handler, properties, old.inputs).inputs;
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
