import { appendFileSync } from "node:fs";

/** Records an operation or a connection. */
export type Trace = (event: object) => void;

export const noTrace: Trace = () => undefined;

/** Appends one JSON line per event to a file, which `npm run bench` reads. */
export function traceTo(file: string): Trace {
  return (event) => appendFileSync(file, `${JSON.stringify(event)}\n`);
}
