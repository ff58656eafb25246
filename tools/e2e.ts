import { chooseSuites } from "./e2e-suites";
import { runSteps } from "./test";

/**
 * `npm run e2e`: the end-to-end suites that `npm test` runs. `npm run e2e -- all` adds the extended suites.
 * `npm run e2e -- cluster docker`: the suites of both kinds whose names start with these words.
 */
export async function main(args: readonly string[]): Promise<number> {
  const { steps, filters } = chooseSuites(args);
  return await runSteps(steps, filters);
}
