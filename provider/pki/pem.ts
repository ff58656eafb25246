/** Returns the PEM blocks of a text, each with a line break at its end. */
export function pemBlocks(text: string): string[] {
  const blocks = text.match(/-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----/g) ?? [];
  return blocks.map((block) => `${block}\n`);
}
