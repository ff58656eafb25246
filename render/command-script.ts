import { quote } from "../common/quote";

/** Saves its input as a file that only its user can read, and runs it as a script. */
const FROM_STDIN = `file=$(mktemp) && trap 'rm -f "$file"' EXIT && cat > "$file" && sh -e "$file"`;

/**
 * Command line that runs the script on its standard input, and ends with the script's exit code. Every user of a
 * machine can see command lines, so the script is not part of one.
 */
export const RUN_SCRIPT = `sh -c ${quote(FROM_STDIN)}`;

/** Returns a script with environment variables. */
export function scriptWithEnvironment(script: string, environment: Readonly<Record<string, string>>): string {
  const lines = Object.entries(environment).map(([name, value]) => `export ${name}=${quote(value)}`);
  return `${[...lines, script.trimEnd()].join("\n")}\n`;
}
