import { isDeepStrictEqual } from "node:util";
import { PROJECT } from "./project-folder";

/** Settings of every new cluster that kubeadm builds, by path. An existing cluster keeps what it has. */
export const NEW_CLUSTER_SETTINGS = {
  "security.encryption.provider": "secretbox",
  "security.kubeletServingCertificates": "cluster",
  "security.certificateKeys": "ECDSA-P256",
} as const;

const ENCRYPTION = { encryption: { provider: "secretbox" } };
const SERVING = { ...ENCRYPTION, kubeletServingCertificates: "cluster" };
const KEYS = { ...SERVING, certificateKeys: "ECDSA-P256" };
/** Sections with nothing except these settings, as each version writes them, or as a person has set one of them. */
const SECTIONS = [ENCRYPTION, { kubeletServingCertificates: "cluster" }, SERVING, KEYS].map((section) => ({
  [`${PROJECT}:security`]: section,
}));

/** Whether a stack's configuration has nothing, or nothing except the settings that every new cluster gets. */
export function hasNoOwnSettings(config: unknown): boolean {
  return [undefined, null, {}, ...SECTIONS].some((empty) => isDeepStrictEqual(config, empty));
}
