import { obtainArtifacts, obtainEngine, loadVersions } from "../../artifacts/index";
import { RUNTIMES } from "../../common/runtime";
import { controllerArch } from "../../components/machines/machine";
import { newestVersion } from "../support/versions";
import { dockerEnvironment, ensureDaemon } from "../../provider/docker/daemon";

/**
 * What the suites need is brought before their clocks run: on a fresh machine without the internet it is built, which
 * takes a quarter of an hour. These are the calls that `npm start` makes.
 */
export default async function setUp(): Promise<void> {
  const start = Date.now();
  const progress = (message: string) =>
    process.stdout.write(`  e2e [${Math.round((Date.now() - start) / 1000)} s] ${message}\n`);
  const { signal } = new AbortController();
  await obtainEngine(progress, signal);
  const request = { source: "auto", kubernetes: newestVersion(loadVersions()), arch: controllerArch(), extras: true };
  for (const runtime of RUNTIMES) await obtainArtifacts({ ...request, runtime }, progress, signal);
  await ensureDaemon(dockerEnvironment(process.env), progress, signal);
}
