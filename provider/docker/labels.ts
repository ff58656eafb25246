/** The labels by which we know our own. */
export const LABELS = {
  /** On containers, volumes and networks: the stack they belong to. */
  stack: "io.kubewright.stack",
  /** On containers: the machine's name within its stack. */
  machine: "io.kubewright.machine",
  /** On containers: a hash of what cannot be changed in place. */
  made: "io.kubewright.made",
  /** On images: the hash of the recipe. */
  image: "io.kubewright.image",
} as const;

/** The part of a stack's id that may stand in a Docker name. */
export function slug(text: string): string {
  return text.replace(/[^A-Za-z0-9_.-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "") || "stack";
}
