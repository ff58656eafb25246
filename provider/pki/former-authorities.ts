import { caCertHash } from "./ca-cert-hash";
import { pemBlocks } from "./pem";

/** Returns the hashes of a text of `FORMER_AUTHORITIES`. */
export function parseFormer(text = ""): string[] {
  return text.split("\n").filter((line) => /^sha256:[0-9a-f]{64}$/.test(line));
}

/** Returns the hashes of all CAs by which a cluster is known: those that it trusts, and former ones. */
export function knownHashes(authorities: string, former = ""): string[] {
  return [...new Set([...hashesOf(authorities), ...parseFormer(former)])];
}

/** Returns the hashes of the certificates of a bundle. */
export function hashesOf(bundle: string): string[] {
  return pemBlocks(bundle)
    .filter((block) => block.includes("-----BEGIN CERTIFICATE-----"))
    .map(caCertHash);
}

/** Returns the text of `FORMER_AUTHORITIES` for a cluster whose present CAs are about to be replaced. */
export function formerText(authorities: string, former = ""): string {
  return `${[...new Set([...parseFormer(former), ...hashesOf(authorities)])].join("\n")}\n`;
}
