import { template } from "./template";

/** Who leaves something on a machine when it goes. */
export type Leaver = "kubelet" | "kube-proxy" | "flannel";

/** A script that takes it off, safe to run again. `first` comes before. */
export function remainsScript(of: readonly Leaver[], first = ""): string {
  return [template("leftovers/common.sh"), first, ...of.map((leaver) => template(`leftovers/${leaver}.sh`)), "exit 0\n"]
    .filter(Boolean)
    .join("\n");
}
