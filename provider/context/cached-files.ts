import { access } from "node:fs/promises";
import { obtainArtifacts, type ArtifactRequest } from "../../artifacts";
import type { Progress } from "../../common/progress";
import { localPath, portableCachePath } from "../../common/portable-path";

/**
 * Files in the cache of this computer. The state may name files that only another computer has: they are fetched when
 * a machine needs them.
 */
export class CachedFiles {
  private readonly requests = new Map<string, ArtifactRequest>();

  /** @param fetch fills the cache; replaced in tests */
  constructor(
    private readonly fetch: (
      request: ArtifactRequest,
      progress: Progress,
      signal: AbortSignal,
    ) => Promise<unknown> = obtainArtifacts,
  ) {}

  /** Remembers with which request the files that the state names were obtained. */
  remember(request: ArtifactRequest): void {
    this.requests.set(JSON.stringify(request), request);
  }

  /** Returns where a file is, and fetches it first where it is missing; undefined if it cannot be fetched. */
  async obtain(path: string, progress: Progress, signal: AbortSignal): Promise<string | undefined> {
    const file = localPath(portableCachePath(path));
    if (await exists(file)) return file;
    for (const request of this.requests.values()) {
      progress("fetching a file that is not in the cache of this computer");
      await this.fetch(request, progress, signal);
      if (await exists(file)) return file;
    }
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}
