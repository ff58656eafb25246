import type { Problem } from "./problems";
import type { SshHost, WrittenConfig } from "./schema";

/** The configuration with every default filled in; the counts are those of the hosts where a list of hosts is given. */
export type ClusterConfig = WrittenConfig & { controlPlane: { count: number }; workers: { count: number } };

/** What a configuration is judged against, besides itself. */
export interface ConfigSurroundings {
  /** Versions of Kubernetes that can be installed: `1.36.3`. */
  kubernetesVersions: readonly string[];
  /** Whether a file is on this computer, `~` not expanded. */
  fileExists(path: string): boolean;
}

/** A problem, and the other properties that it depends on: when one of them is wrong by itself, this one says nothing new. */
export type CrossProblem = Problem & { about?: readonly string[] };

/** Judges what is only wrong together, or cannot be judged from the text alone. */
export type CrossCheck = (config: ClusterConfig, surroundings: ConfigSurroundings, written: WrittenConfig) => CrossProblem[];

export function sshHosts({ machines }: Pick<WrittenConfig, "machines">): readonly SshHost[] {
  return machines.kind === "ssh" ? machines.ssh.hosts : [];
}

export function hostPath(index: number): string {
  return `machines.ssh.hosts[${index}]`;
}
