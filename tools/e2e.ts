import { runSteps } from "./test";

/** `npm run e2e -- cluster`: end-to-end suites by the beginning of their name; all of them without one. */
export async function main(args: readonly string[]): Promise<number> {
  return await runSteps(
    ["e2e"],
    args.map((name) => `/e2e/${name}`),
  );
}
