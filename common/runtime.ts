/** The container runtimes of nodes. */
export const RUNTIMES = ["containerd", "docker"] as const;

export type Runtime = (typeof RUNTIMES)[number];

export const DEFAULT_RUNTIME: Runtime = "containerd";
