import { homedir } from "node:os";
import { join } from "node:path";

/** Returns `KUBEWRIGHT_CACHE`, else `$XDG_CACHE_HOME/kubewright`, else `~/.cache/kubewright`. */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  if (env.KUBEWRIGHT_CACHE) return env.KUBEWRIGHT_CACHE;
  return join(env.XDG_CACHE_HOME || join(homedir(), ".cache"), "kubewright");
}
