import { isIP } from "node:net";

const BEGIN = "# BEGIN kubewright";
const END = "# END kubewright";

/** Pure: the block of /etc/hosts that is ours; empty for no entries. Whose address is a name needs no entry. @param entries name to address */
export function hostsBlock(entries: Readonly<Record<string, string>>): string {
  const lines = Object.entries(entries)
    .filter(([, address]) => isIP(address) !== 0)
    .map(([name, address]) => `${address} ${name}\n`);
  return lines.length === 0 ? "" : `${BEGIN}\n${lines.sort().join("")}${END}\n`;
}

/** Pure: the entries of the block in the text of a hosts file. */
export function hostsEntries(text: string): Record<string, string> {
  const [, block = ""] = new RegExp(`^${BEGIN}\n(.*?)^${END}$`, "ms").exec(text) ?? [];
  return Object.fromEntries(
    block
      .split("\n")
      .filter(Boolean)
      .map((line) => line.split(" "))
      .map(([address = "", name = ""]) => [name, address]),
  );
}

/** Pure: the text with the block in the place of the one that was there, or at its end. */
export function withBlock(text: string, block: string): string {
  const without = text.replace(new RegExp(`^${BEGIN}\n.*?^${END}\n?`, "ms"), "");
  const gap = without === "" || without.endsWith("\n") ? "" : "\n";
  return `${without}${gap}${block}`;
}
