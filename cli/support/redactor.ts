import { isObject } from "../../provider/rpc/values";

/** Stands where a secret was. */
export const REMOVED = "[removed]";

/** Texts shorter than this are not searched for: they would be found everywhere. */
const SHORTEST = 4;
/** Lines of a secret that has several, such as a private key, are searched for one by one from this length on. */
const SHORTEST_LINE = 20;

/** Properties whose values are secrets wherever they are. */
const SECRET_NAMES =
  /^(.*(password|passphrase|token|privatekey|secret)|secretaccesskey|authoritykey|client-key-data|encryptionsalt)$/i;

/** Names of settings whose values are secrets in logs and files. */
const SETTINGS = "client-key-data|password|passphrase|token|secret[_-]?access[_-]?key";

/** Texts that are secrets by their form. The first group stays. */
const PATTERNS: readonly RegExp[] = [
  /()-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g,
  /\b()[a-z0-9]{6}\.[a-z0-9]{16}\b/g, // bootstrap tokens
  /\b()eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+/g, // JSON web tokens
  /(\bBearer )[\w.~+/=-]{8,}/gi,
  /(:\/\/[^\s:/@]+:)[^\s@/]+(?=@)/g, // passwords in URLs
  new RegExp(`(\\b(?:${SETTINGS})["']?\\s*[:=]\\s*["']?)(?!\\[removed\\])[^\\s"',;}]{4,}`, "gi"),
  /(--(?:certificate-key|token|password)[= ])\S+/g,
];

/** Removes secrets from texts: those that it knows, and those that have the form of one. */
export class Redactor {
  private readonly known = new Set<string>();
  /** The known secrets, longest first, until another one is added. */
  private sorted: readonly string[] | undefined;

  constructor(secrets: Iterable<string> = []) {
    for (const secret of secrets) this.add(secret);
  }

  /** Also removes this secret, in the forms in which it may appear. */
  add(secret: string): void {
    this.sorted = undefined;
    const trimmed = secret.trim();
    const lines = trimmed.split("\n").filter((line) => line.length >= SHORTEST_LINE && !line.startsWith("-----"));
    for (const text of [trimmed, ...lines])
      if (text.length >= SHORTEST) for (const form of formsOf(text)) this.known.add(form);
  }

  /** Adds the texts of properties that are secrets by name. */
  addNamed(value: unknown): void {
    if (Array.isArray(value)) value.forEach((one) => this.addNamed(one));
    if (!isObject(value)) return;
    for (const [name, inner] of Object.entries(value))
      if (SECRET_NAMES.test(name)) textsIn(inner).forEach((text) => this.add(text));
      else this.addNamed(inner);
  }

  text(text: string): string {
    this.sorted ??= [...this.known].sort((one, other) => other.length - one.length);
    const known = this.sorted.reduce((rest, secret) => rest.replaceAll(secret, REMOVED), text);
    return PATTERNS.reduce((rest, pattern) => rest.replace(pattern, `$1${REMOVED}`), known);
  }

  /** Returns a value without the properties that are secrets by name, and without secrets in its texts. */
  value(value: unknown): unknown {
    if (typeof value === "string") return this.text(value);
    if (Array.isArray(value)) return value.map((one) => this.value(one));
    if (!isObject(value)) return value;
    const entries = Object.entries(value).map(([name, inner]) => [
      this.text(name),
      SECRET_NAMES.test(name) ? REMOVED : this.value(inner),
    ]);
    return Object.fromEntries(entries) as unknown;
  }
}

/** All texts in a value. */
export function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  return isObject(value) ? Object.values(value).flatMap(textsIn) : [];
}

/** A secret as it is, in JSON, in a URL, and in base64, whose last characters depend on what follows. */
function formsOf(text: string): string[] {
  const base64 = Buffer.from(text).toString("base64").replace(/=+$/, "");
  const forms = [text, JSON.stringify(text).slice(1, -1), encodeURIComponent(text), base64.slice(0, -1)];
  return forms.filter((form) => form.length >= SHORTEST);
}
