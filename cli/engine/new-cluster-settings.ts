import { isDeepStrictEqual } from "node:util";
import { PROJECT } from "./project-folder";

/** Settings of every new cluster that kubeadm builds, by path. An existing cluster keeps what it has. */
export const NEW_CLUSTER_SETTINGS = { "security.encryption.provider": "secretbox" } as const;

const SECTIONS = { [`${PROJECT}:security`]: { encryption: { provider: "secretbox" } } };

/** Whether a stack's configuration has nothing, or nothing except the settings that every new cluster gets. */
export function hasNoOwnSettings(config: unknown): boolean {
  return [undefined, null, {}, SECTIONS].some((empty) => isDeepStrictEqual(config, empty));
}
