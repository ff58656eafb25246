import { createHash } from "node:crypto";

/** An SSH public key blob (RFC 4253, section 6.6) as OpenSSH writes it: `type base64`. */
export function publicKeyOf(blob: Buffer): string {
  const length = blob.readUInt32BE(0);
  return `${blob.toString("ascii", 4, 4 + length)} ${blob.toString("base64")}`;
}

/** Type and key decide; a comment does not. */
export function sameKey(one: string, other: string): boolean {
  const words = (key: string) => key.trim().split(/\s+/).slice(0, 2).join(" ");
  return words(one) === words(other);
}

/** `ssh-ed25519 SHA256:...`, as ssh and ssh-keygen show a key to people. */
export function fingerprint(key: string): string {
  const [type = "", blob = ""] = key.trim().split(/\s+/);
  return `${type} SHA256:${createHash("sha256").update(Buffer.from(blob, "base64")).digest("base64").replace(/=+$/, "")}`;
}
