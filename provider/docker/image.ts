import { StepError } from "../../common/errors";
import type { Progress } from "../../common/progress";
import { attempt, lastWords, run } from "./command";
import { isRoot, osRelease } from "./host";
import { LABELS } from "./labels";
import { withLock } from "../../common/user-lock";
import { buildFromPackages } from "./mmdebstrap";
import { imageRef, recipeFolder, type Recipe } from "./recipe";

const BASE = "debian:bookworm-slim";
const STEP = "building the machine image";
/** Seconds for pulling the base image where there is another way to go. */
const PULL_SECONDS = 60;

export interface Image {
  /** `kubewright/machine:<hash of the recipe>`: the same for an image that was built again from the same recipe. */
  ref: string;
  /** `sha256:...`: this very build. */
  id: string;
}

/** The id of an image that the daemon has. */
export async function imageId(ref: string, signal: AbortSignal): Promise<string | undefined> {
  const found = await attempt("docker", ["image", "inspect", "--format", "{{.Id}}", ref], {
    step: `looking for image ${ref}`,
    signal,
  });
  return found.code === 0 ? found.stdout : undefined;
}

/**
 * The machine image, built unless the daemon has it. The tag is set when the build is whole, and two runs at once build once.
 * @throws StepError where neither a base image can be pulled nor the host's packages be used.
 */
export async function ensureImage(recipe: Recipe, progress: Progress, signal: AbortSignal): Promise<Image> {
  const ref = imageRef(recipe);
  const there = await imageId(ref, signal);
  if (there) return { ref, id: there };
  return await withLock(
    "machine-image",
    signal,
    () => progress("another run is building the machine image"),
    async () => {
      const meanwhile = await imageId(ref, signal);
      if (!meanwhile) await build(ref, recipe, progress, signal);
      const id = meanwhile ?? (await imageId(ref, signal));
      if (!id) throw new StepError({ step: STEP, cause: `the build ended, but Docker has no ${ref}` });
      return { ref, id };
    },
  );
}

async function build(ref: string, recipe: Recipe, progress: Progress, signal: AbortSignal): Promise<void> {
  const fallback = recipe === "auto" && onDebianAsRoot();
  if (recipe === "mmdebstrap" || (fallback && !(await haveBase(progress, signal, PULL_SECONDS)))) {
    progress(`building the machine image from this system's packages`);
    return await buildFromPackages(ref, progress, signal);
  }
  if (!fallback && !(await haveBase(progress, signal))) {
    const action =
      "give Docker access to its registry, or `docker load` that image; as root on Debian it can be built from packages";
    throw new StepError({ step: STEP, cause: `${BASE} is not there and cannot be pulled`, action });
  }
  progress(`building the machine image from ${BASE}`);
  await buildFromBase(ref, progress, signal);
}

function onDebianAsRoot(): boolean {
  return isRoot() && osRelease().id === "debian";
}

async function haveBase(progress: Progress, signal: AbortSignal, seconds?: number): Promise<boolean> {
  if (await imageId(BASE, signal)) return true;
  progress(`pulling ${BASE}`);
  const options = { step: `pulling ${BASE}`, signal, ...(seconds === undefined ? {} : { timeout: seconds }) };
  const pull = await attempt("docker", ["pull", "--quiet", BASE], options);
  if (pull.code !== 0) progress(`${BASE} cannot be pulled: ${lastWords(pull.stderr, 1)}`);
  return pull.code === 0;
}

async function buildFromBase(ref: string, progress: Progress, signal: AbortSignal): Promise<void> {
  const labels = Object.entries(imageLabels(ref)).flatMap(([key, value]) => ["--label", `${key}=${value}`]);
  // The build's network is the daemon's own, so that what resolves and routes for the daemon does for the build.
  const args = ["build", "--network", "host", "--build-arg", `BASE=${BASE}`, ...labels, "--tag", ref, recipeFolder()];
  await run("docker", args, { step: STEP, signal, onLine: (line) => progress(`machine image: ${line.slice(0, 100)}`) });
}

export function imageLabels(ref: string): Record<string, string> {
  return { [LABELS.image]: ref.slice(ref.indexOf(":") + 1) };
}
