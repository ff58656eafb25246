import { runSteps } from "./test";

/** `npm run e2e -- cluster`: end-to-end suites by name; all of them without a name. */
export async function main(args: readonly string[]): Promise<number> {
  return await runSteps(["e2e"], args.map((name) => `/${name}.`));
}
