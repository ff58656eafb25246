import { createHash } from "node:crypto";

/** Converts an SSH public key blob (RFC 4253, section 6.6) to OpenSSH's form: `type base64`. */
export function publicKeyOf(blob: Buffer): string {
  const length = blob.readUInt32BE(0);
  return `${blob.toString("ascii", 4, 4 + length)} ${blob.toString("base64")}`;
}

/** Drops the comment: `type base64`. */
export function withoutComment(key: string): string {
  return key.trim().split(/\s+/).slice(0, 2).join(" ");
}

/** Whether two keys are the same; comments are not compared. */
export function sameKey(one: string, other: string): boolean {
  return withoutComment(one) === withoutComment(other);
}

/** Formats a key as ssh and ssh-keygen show it: `ssh-ed25519 SHA256:...`. */
export function fingerprint(key: string): string {
  const [type = "", blob = ""] = key.trim().split(/\s+/);
  const hash = createHash("sha256").update(Buffer.from(blob, "base64")).digest("base64");
  return `${type} SHA256:${hash.replace(/=+$/, "")}`;
}
