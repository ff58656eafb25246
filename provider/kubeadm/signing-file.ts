import { PKI } from "../../render/component-paths";

/** Certificate with which the controller manager signs while `ca.crt` is a bundle, which it would refuse. */
export const SIGNING_CERTIFICATE = `${PKI}/ca-signing.crt`;
const DEFAULT = `${PKI}/ca.crt`;
const FLAG = /^(\s*- --cluster-signing-cert-file=)\S+$/m;

/** Returns the controller manager's manifest with a certificate of its own for signing, or with kubeadm's default. */
export function withSigningFile(manifest: string, isSeparate: boolean): string {
  return manifest.replace(FLAG, `$1${isSeparate ? SIGNING_CERTIFICATE : DEFAULT}`);
}

/** Returns a manifest as it is outside of a rotation, to compare it. */
export function withDefaultSigning(manifest: string): string {
  return hasSigningFile(manifest) ? withSigningFile(manifest, false) : manifest;
}

/** Whether the controller manager signs with a certificate file of its own. */
export function hasSigningFile(manifest = ""): boolean {
  return FLAG.exec(manifest)?.[0].endsWith(`=${SIGNING_CERTIFICATE}`) === true;
}

/**
 * Returns a rendered manifest with the signing file, where the machine has one: `up` in the middle of a rotation must
 * not make the controller manager sign with a bundle.
 */
export function keepSigningFile(rendered: string, isSeparate: boolean): string {
  return isSeparate ? withSigningFile(rendered, true) : rendered;
}
