/** Labels of the Docker objects that Kubewright creates. */
export const LABELS = {
  /** On containers, volumes and networks: the stack they belong to. */
  stack: "io.kubewright.stack",
  /** On containers: the machine's name within its stack. */
  machine: "io.kubewright.machine",
  /** On containers: a hash of the settings that cannot be changed in place. */
  specHash: "io.kubewright.made",
  /** On images: the hash of the recipe. */
  image: "io.kubewright.image",
} as const;

/** Reduces a stack's id to the characters that Docker allows in names. */
export function slug(text: string): string {
  return text.replace(/[^A-Za-z0-9_.-]+/g, "-").replace(/^[^A-Za-z0-9]+/, "") || "stack";
}
