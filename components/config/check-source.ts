import type { ClusterConfig, CrossProblem } from "./types";

/** Refuses that machines download what is built on the computer that runs Pulumi. */
export function downloadsOfModules({ source, transfer }: ClusterConfig): CrossProblem[] {
  if (transfer !== "pull" || source !== "modules") return [];
  return [
    {
      path: "transfer",
      reason: "with source: modules, this computer builds the files, and machines cannot download them",
      action: "use auto or push, or set source to official or to the address of a mirror",
      about: ["source"],
    },
  ];
}
