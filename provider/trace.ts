import { appendFileSync } from "node:fs";

/** One JSON line per operation or connection in the file that KUBEWRIGHT_TRACE names: what `npm run bench` reads. */
export function trace(event: object): void {
  const file = process.env.KUBEWRIGHT_TRACE;
  if (file) appendFileSync(file, `${JSON.stringify(event)}\n`);
}
