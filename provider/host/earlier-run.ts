import { quote } from "../../common/quote";

/**
 * Stops an earlier run of the same script. If its connection broke silently, it goes on although it is repeated: a load
 * of images, for example, waits for input forever, and containerd lets no other load write the same layers. The
 * checksum in its command line distinguishes it from another process that got the same process id.
 * @param task what the script does, as one word
 * @param checksum of what it transfers, in hex
 * @returns the commands to begin with, and those of the trap EXIT
 */
export function earlierRun(task: string, checksum: string): { stop: string; cleanup: string } {
  const file = quote(`/run/kubewright-${task}-${checksum}`);
  const stop = `left=$(cat ${file} 2>/dev/null || true)
if [ -n "$left" ] && grep -q ${quote(checksum)} "/proc/$left/cmdline" 2>/dev/null; then kill -KILL "-$left" || true; fi
read -r _ _ _ _ group _ </proc/$$/stat
echo "$group" >${file}`;
  return { stop, cleanup: `rm -f ${file}` };
}
