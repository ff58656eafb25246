import { isIP } from "node:net";

const BEGIN = "# BEGIN kubewright";
const END = "# END kubewright";

/**
 * Renders Kubewright's block of /etc/hosts. Empty without entries. Entries whose address is itself a DNS name are
 * omitted.
 * @param entries Name to address.
 */
export function hostsBlock(entries: Readonly<Record<string, string>>): string {
  const lines = Object.entries(entries)
    .filter(([, address]) => isIP(address) !== 0)
    .map(([name, address]) => `${address} ${name}\n`);
  return lines.length === 0 ? "" : `${BEGIN}\n${lines.sort().join("")}${END}\n`;
}

/** Parses the entries of Kubewright's block in a hosts file. */
export function parseHostsBlock(text: string): Record<string, string> {
  const [, block = ""] = new RegExp(`^${BEGIN}\n(.*?)^${END}$`, "ms").exec(text) ?? [];
  return Object.fromEntries(
    block
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split(" "))
      .map(([address = "", name = ""]) => [name, address]),
  );
}

/** Replaces Kubewright's block in a hosts file, or appends it. */
export function replaceHostsBlock(text: string, block: string): string {
  const rest = text.replace(new RegExp(`^${BEGIN}\n.*?^${END}\n?`, "ms"), "");
  const separator = rest === "" || rest.endsWith("\n") ? "" : "\n";
  return `${rest}${separator}${block}`;
}
