import type { Recipe } from "../../contracts/docker/image";
import { StepError } from "../../common/errors";
import type { Progress } from "../../common/progress";
import { userLock, withLock } from "../../common/lock";
import { lastLines, runCommand, tryCommand } from "../../common/process";
import { isRoot, readOsRelease } from "./host";
import { LABELS } from "./labels";
import { buildFromPackages } from "./mmdebstrap";
import { imageRef, recipeFolder } from "./recipe";

const BASE = "debian:bookworm-slim";
const STEP = "build the machine image";
/** Time limit for pulling the base image where packages can be used instead. */
const PULL_SECONDS = 60;

export interface Image {
  /** `kubewright/machine:<hash of the recipe>`. The same for every build of a recipe. */
  ref: string;
  /** `sha256:...`. Different for every build. */
  id: string;
}

/** Returns the id of an image, or undefined if the daemon does not have it. */
export async function findImageId(ref: string, signal: AbortSignal): Promise<string | undefined> {
  const options = { step: `inspect image ${ref}`, signal };
  const outcome = await tryCommand("docker", ["image", "inspect", "--format", "{{.Id}}", ref], options);
  return outcome.code === 0 ? outcome.stdout : undefined;
}

/**
 * Returns the machine image, and builds it if the daemon does not have it. The tag is set when the build is complete.
 * Concurrent runs build the image once.
 * @throws StepError when neither a base image nor the host's packages can be used
 */
export async function ensureImage(recipe: Recipe, progress: Progress, signal: AbortSignal): Promise<Image> {
  const ref = imageRef(recipe);
  const existing = await findImageId(ref, signal);
  if (existing) return { ref, id: existing };
  return await withLock(userLock("machine-image"), { task: STEP, progress, signal }, async () => {
    if (!(await findImageId(ref, signal))) await buildImage(ref, recipe, progress, signal);
    const id = await findImageId(ref, signal);
    if (!id) throw new StepError({ step: STEP, cause: `the build succeeded, but Docker has no image ${ref}` });
    return { ref, id };
  });
}

async function buildImage(ref: string, recipe: Recipe, progress: Progress, signal: AbortSignal): Promise<void> {
  const fallback = recipe === "auto" && canUsePackages();
  if (recipe === "mmdebstrap" || (fallback && !(await pullBase(progress, signal, PULL_SECONDS)))) {
    progress("building the machine image from this system's packages");
    return await buildFromPackages(ref, progress, signal);
  }
  if (!fallback && !(await pullBase(progress, signal))) {
    const action = `give Docker access to its registry, or load ${BASE} with \`docker load\`, or run as root on Debian`;
    throw new StepError({ step: STEP, cause: `the base image ${BASE} cannot be pulled`, action });
  }
  progress(`building the machine image from ${BASE}`);
  await buildFromBase(ref, progress, signal);
}

function canUsePackages(): boolean {
  return isRoot() && readOsRelease().id === "debian";
}

/** Pulls the base image unless the daemon has it. Returns whether the daemon has it afterwards. */
async function pullBase(progress: Progress, signal: AbortSignal, timeout?: number): Promise<boolean> {
  if (await findImageId(BASE, signal)) return true;
  progress(`pulling ${BASE}`);
  const outcome = await tryCommand("docker", ["pull", "--quiet", BASE], { step: `pull ${BASE}`, signal, timeout });
  if (outcome.code !== 0) progress(`${BASE} cannot be pulled: ${lastLines(outcome.stderr, 1)}`);
  return outcome.code === 0;
}

async function buildFromBase(ref: string, progress: Progress, signal: AbortSignal): Promise<void> {
  const labels = Object.entries(imageLabels(ref)).flatMap(([key, value]) => ["--label", `${key}=${value}`]);
  // The daemon's own network, so that the build has the daemon's DNS resolvers and routes.
  const args = ["build", "--network", "host", "--build-arg", `BASE=${BASE}`, ...labels, "--tag", ref, recipeFolder()];
  const onLine = (line: string) => progress(`machine image: ${line.slice(0, 100)}`);
  await runCommand("docker", args, { step: STEP, signal, onLine });
}

export function imageLabels(ref: string): Record<string, string> {
  return { [LABELS.image]: ref.slice(ref.indexOf(":") + 1) };
}
