import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { COMMANDS } from "../../../../cli/commands/table";
import { main } from "../../../../cli/main";
import { parseCommandLine, type CommandDefinition } from "../../../../cli/terminal/command-line";
import type { Options } from "../../../../cli/terminal/options";
import { projectRoot } from "../../../../common/project-root";
import { userCommand } from "../../../../common/user-command";

const DEFINITION: CommandDefinition = {
  name: "drain",
  summary: "Drains a node.",
  arguments: [["[node]", "name of the node"]],
  hasConfig: true,
  options: [
    ["--force", "do it"],
    ["--timeout <seconds>", "time limit"],
    ["--arch <arch>", "architecture", ["amd64", "arm64"]],
  ],
  examples: [["worker-2", "drain worker-2"]],
};

function options(args: string[], definition = DEFINITION, env: NodeJS.ProcessEnv = {}): Options {
  const parsed = parseCommandLine(definition, args, env);
  if ("help" in parsed) throw new Error("this is the help");
  return parsed.options;
}

test("an empty command line has the defaults", () => {
  expect(options([])).toEqual({ stack: "dev", config: {}, flags: new Set(), values: {}, words: [] });
  expect(options([], { ...DEFINITION, defaultStack: "ladder" }).stack).toBe("ladder");
});

test("reads the stack, configuration values that contain =, flags, values and arguments", () => {
  const args = ["--stack", "two", "--config", "workers.count=3", "-c", "a=b=c", "--force", "--timeout", "9", "x"];
  expect(options(args)).toEqual({
    stack: "two",
    config: { "workers.count": "3", a: "b=c" },
    flags: new Set(["force"]),
    values: { timeout: "9" },
    words: ["x"],
  });
});

test.each([
  [["--stack", "../x"], /"\.\.\/x" is not a valid stack name; use/],
  [["--config", "workers"], /has no "="; write --config key=value/],
  [["--frce"], /unknown option '--frce' \(Did you mean --force\?\); run `npm run drain -- --help`/],
  [["--arch", "mips"], /--arch.*mips.*Allowed choices are amd64, arm64/],
  [["a", "b"], /unexpected argument "b"/],
])("refuses %j", (args, message) => {
  expect(() => options(args)).toThrow(message);
});

test.each([
  [["lab"], { npm_config_stack: "true" }],
  [[], { npm_config_stack: "lab" }],
])("refuses an option that npm kept, because `--` is missing before it: %j %j", (args, env) => {
  const down = COMMANDS.down as CommandDefinition;
  expect(() => options(args, down, env)).toThrow(/write options after `--`: `npm run down -- --stack NAME`/);
});

test("npm's own configuration is not mistaken for an option", () => {
  expect(options([], DEFINITION, { npm_config_force: "true", npm_config_arch: "x64" }).flags.size).toBe(0);
});

test.each(Object.entries(COMMANDS))(
  "%s has a module, help with examples, and examples that parse",
  (name, definition) => {
    expect(existsSync(join(projectRoot(), "cli", "commands", `${name}.ts`))).toBe(true);
    const parsed = parseCommandLine(definition, ["--help"], {});
    if (!("help" in parsed)) throw new Error("--help was not recognized");
    expect(parsed.help).toContain(definition.summary);
    expect(parsed.help).toContain(`Usage: ${userCommand(definition.name)} -- [options]`);
    for (const [args] of definition.examples) {
      expect(parsed.help).toContain(args);
      expect(() => options(args.split(" ").filter(Boolean), definition)).not.toThrow();
    }
  },
);

test("main runs the module of a command with its options, and returns its exit code", async () => {
  const received: Options[] = [];
  const run = async (one: Options) => (received.push(one), 7);
  expect(await main("down", ["--yes"], () => ({ run }))).toBe(7);
  expect(received[0]?.flags).toEqual(new Set(["yes"]));
});

test("main prints help without loading the command", async () => {
  const load = () => {
    throw new Error("loaded");
  };
  expect(await main("down", ["--help"], load)).toBe(0);
  await expect(main("down", ["--help", "--frce"], load)).resolves.toBe(0);
});
