/** A value of containerd's configuration file: a table, or what a table contains. */
export type ContainerdValue =
  string | number | boolean | null | readonly ContainerdValue[] | { readonly [key: string]: ContainerdValue };

/** Settings of containerd's configuration file, as nested tables. */
export type ContainerdSettings = Readonly<Record<string, ContainerdValue>>;

interface Table {
  /** Names of the tables that lead to this one: `["plugins", "io.containerd.cri.v1.images"]`. */
  path: readonly string[];
  entries: [key: string, value: ContainerdValue][];
}

/** The line of the configuration file that top-level settings follow, because they must precede all tables. */
const TOP = /^version = /;

/** Adds settings to a configuration file in TOML: to the tables that it has, and in new tables at its end. */
export function addSettings(text: string, settings: ContainerdSettings): string {
  const lines = text.trimEnd().split("\n");
  for (const table of tablesOf(settings)) {
    const added = table.entries.map(([key, value]) => `${tomlKey(key)} = ${tomlValue(value)}`);
    const start = findTable(lines, table);
    if (start >= 0) lines.splice(start + 1, 0, ...added);
    else lines.push("", header(table), ...added);
  }
  return `${lines.join("\n")}\n`;
}

/** Returns the names of settings that a configuration file has already. */
export function findConflicts(text: string, settings: ContainerdSettings): string[] {
  const lines = text.split("\n");
  return tablesOf(settings).flatMap((table) => {
    const start = findTable(lines, table);
    if (start < 0) return [];
    const length = lines.slice(start + 1).findIndex((line) => line.trim().startsWith("["));
    const body = lines.slice(table.path.length === 0 ? 0 : start + 1, length < 0 ? undefined : start + 1 + length);
    return table.entries
      .map(([key]) => key)
      .filter((key) => body.some((line) => line.trim().startsWith(`${tomlKey(key)} =`)))
      .map((key) => [...table.path, key].map(tomlKey).join("."));
  });
}

function tablesOf(settings: ContainerdSettings, path: readonly string[] = []): Table[] {
  const entries = Object.entries(settings);
  const own = entries.filter(([, value]) => !isTable(value));
  const tables = entries.flatMap(([key, value]) => (isTable(value) ? tablesOf(value, [...path, key]) : []));
  return own.length > 0 ? [{ path, entries: own }, ...tables] : tables;
}

function isTable(value: ContainerdValue): value is ContainerdSettings {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function findTable(lines: readonly string[], table: Table): number {
  const wanted = header(table);
  return lines.findIndex((line) => (table.path.length === 0 ? TOP.test(line) : line.trim() === wanted));
}

function header({ path }: Table): string {
  return `[${path.map(tomlKey).join(".")}]`;
}

/** Quotes a key where it must be, as the template does. */
function tomlKey(key: string): string {
  if (/^[\w-]+$/.test(key)) return key;
  return key.includes("'") ? tomlString(key) : `'${key}'`;
}

function tomlValue(value: ContainerdValue): string {
  if (typeof value === "string") return tomlString(value);
  if (typeof value === "number" || typeof value === "boolean") return JSON.stringify(value);
  if (isList(value)) return `[${value.map(tomlValue).join(", ")}]`;
  const entries = Object.entries(value ?? {}).map(([key, one]) => `${tomlKey(key)} = ${tomlValue(one)}`);
  return `{ ${entries.join(", ")} }`;
}

function isList(value: ContainerdValue): value is readonly ContainerdValue[] {
  return Array.isArray(value);
}

/** Renders a TOML basic string: a JSON string in which DEL is escaped too. */
export function tomlString(value: string): string {
  return JSON.stringify(value).replaceAll("\x7f", "\\u007f");
}
