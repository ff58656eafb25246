import { obtainArtifacts, obtainEngine, loadVersions } from "../../artifacts/index";
import { controllerArch } from "../../components/machine";
import { ensureDaemon } from "../../provider/docker/daemon";

/**
 * What the suites need is brought before their clocks run: on a fresh machine without the internet it is built, which takes a
 * quarter of an hour. These are the calls that `npm start` makes.
 */
export default async function setUp(): Promise<void> {
  const start = Date.now();
  const progress = (message: string) => process.stdout.write(`  e2e [${Math.round((Date.now() - start) / 1000)} s] ${message}\n`);
  const { signal } = new AbortController();
  await obtainEngine(progress, signal);
  await obtainArtifacts({ source: "auto", kubernetes: kubernetesVersion(), arch: controllerArch(), extras: true }, progress, signal);
  await ensureDaemon(progress, signal);
}

/** The newest that is supported is the default. */
export function kubernetesVersion(): string {
  const newest = Object.keys(loadVersions().kubernetes.supported).sort((one, other) => one.localeCompare(other, "en", { numeric: true })).at(-1);
  if (!newest) throw new Error("versions.yaml supports no version of Kubernetes");
  return newest;
}
