import { template } from "./template";

/** Components that leave files, rules or mounts on a machine when they are removed. */
export type LeftoverComponent = "kubelet" | "kube-proxy" | "flannel";

/** Renders a script that removes the leftovers of components. It can be run repeatedly. `first` is inserted before. */
export function leftoversScript(components: readonly LeftoverComponent[], first = ""): string {
  const parts = components.map((component) => template(`leftovers/${component}.sh`));
  return [template("leftovers/common.sh"), first, ...parts, "exit 0\n"].filter(Boolean).join("\n");
}
