import { Option } from "commander";
import { COMMANDS } from "../../cli/commands/table";
import { COMMON_OPTIONS, type CommandDefinition, type OptionDefinition } from "../../cli/terminal/command-line";
import { DEFAULT_STACK } from "../../cli/terminal/options";

/** The page docs/commands.md: one heading for each command. */
export function commandsPage(): string {
  return [
    "# Commands",
    "<!-- Generated from cli/commands/table.ts by `npm run docs:reference`. -->",
    INTRODUCTION,
    optionTable(COMMON_OPTIONS),
    ...Object.values(COMMANDS).map(commandText),
    "",
  ].join("\n\n");
}

const INTRODUCTION = `\`kubewright COMMAND --help\` prints the same. In a clone the commands are npm scripts:
\`npm start\` is \`kubewright up\`, and \`npm run node:drain -- worker-2\` is \`kubewright node drain worker-2\`.

Exit codes are 0 for success, 1 for a failure and 130 after an interruption, unless a command lists others. With
\`--json\`, stdout is one JSON document: the result, or \`{"error": {"message": ...}}\` with the machine, the step, the
cause and the next action where they are known.

Every command has these options:`;

function commandText(definition: CommandDefinition): string {
  const { name, summary, details, arguments: positional = [], options = [], examples } = definition;
  const words = positional.map(([word]) => word);
  const usage = ["kubewright", name, "[options]", ...words].join(" ");
  const commandLine = (args: string) => `kubewright ${name} ${args}`.trim();
  const lines = examples.map(([args, explanation]) => `# ${explanation}\n${commandLine(args)}`);
  const all = [...stackOptions(definition), ...options];
  return [
    `## ${name}`,
    summary,
    details,
    `\`\`\`sh\n${usage}\n\n${lines.join("\n")}\n\`\`\``,
    positional.length > 0
      ? table(
          "argument",
          positional.map(([word, text]) => [word, text]),
        )
      : undefined,
    all.length > 0 ? optionTable(all) : undefined,
  ]
    .filter(Boolean)
    .join("\n\n");
}

function stackOptions({ hasStack = true, hasConfig = false, defaultStack }: CommandDefinition): OptionDefinition[] {
  return [
    ...(hasStack ? [["--stack <name>", `stack to work on (default: ${defaultStack ?? DEFAULT_STACK})`] as const] : []),
    ...(hasConfig ? [["--config <key=value>", "set a configuration property; repeatable"] as const] : []),
  ];
}

function optionTable(options: readonly OptionDefinition[]): string {
  return table(
    "option",
    options.map(([flags, description, choices]) => [
      new Option(flags).flags,
      choices ? `${description}: ${choices.join(", ")}` : description,
    ]),
  );
}

function table(kind: string, rows: readonly (readonly [name: string, text: string])[]): string {
  const lines = rows.map(([name, text]) => `| \`${name}\` | ${text} |`);
  return [`| ${kind} | meaning |`, "|---|---|", ...lines].join("\n");
}
