import { Option } from "commander";
import { quote } from "../../common/quote";
import { COMMON_OPTIONS, type CommandDefinition, type OptionDefinition } from "./command-line";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** What may follow an incomplete command line. */
interface Candidates {
  /** Words before the candidates: `node drain`; empty after the program's name. */
  after: string;
  /** Whether the words are a complete command, which options and arguments follow. */
  isComplete: boolean;
  candidates: readonly (readonly [word: string, description: string])[];
}

const STACK: OptionDefinition = ["--stack <name>", "stack to work on"];
const CONFIG: OptionDefinition = ["--config <key=value>", "set a configuration property"];

/** Returns the script that makes a shell complete the commands of the table and their options. */
export function completionScript(shell: Shell, commands: readonly CommandDefinition[]): string {
  const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };
  const heading = `# Completion of kubewright for ${shell}, written by \`kubewright completion ${shell}\``;
  return `${heading}\n${scripts[shell](candidatesOf(commands))}`;
}

/** The longest words come first: a shell takes the first case that matches. */
function candidatesOf(commands: readonly CommandDefinition[]): Candidates[] {
  const options = commands.map((command) => ({
    after: command.name,
    isComplete: true,
    candidates: optionsOf(command),
  }));
  const words = new Map<string, Map<string, string>>();
  for (const { name, summary } of commands) {
    const parts = name.split(" ");
    parts.forEach((word, index) => {
      const after = parts.slice(0, index).join(" ");
      const description = index === parts.length - 1 ? summary : `commands for ${word}`;
      words.set(after, (words.get(after) ?? new Map<string, string>()).set(word, description));
    });
  }
  const groups = [...words].map(([after, candidates]) => ({ after, isComplete: false, candidates: [...candidates] }));
  return [...options, ...groups].sort((one, other) => other.after.length - one.after.length);
}

function optionsOf({ options = [], hasStack = true, hasConfig = false }: CommandDefinition): [string, string][] {
  const all = [...(hasStack ? [STACK] : []), ...(hasConfig ? [CONFIG] : []), ...options, ...COMMON_OPTIONS];
  return [...all, ["--help", "show the help"] as const].map(([flags, description]) => [
    new Option(flags).long ?? flags,
    description,
  ]);
}

function bashScript(all: readonly Candidates[]): string {
  const cases = all.map(({ after, candidates }) => {
    const words = candidates.map(([word]) => word).join(" ");
    return `    ${pattern(after)}) words="${words}" ;;`;
  });
  return `_kubewright() {
  local words before="\${COMP_WORDS[*]:1:COMP_CWORD-1}"
  case "$before" in
${cases.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _kubewright kubewright
`;
}

function zshScript(all: readonly Candidates[]): string {
  const cases = all.map(({ after, candidates }) => {
    const words = candidates.map(([word, description]) => quote(`${word}:${description}`)).join(" ");
    return `    ${pattern(after)}) candidates=(${words}) ;;`;
  });
  return `_kubewright() {
  local -a candidates
  case "\${(j: :)words[2,CURRENT-1]}" in
${cases.join("\n")}
  esac
  _describe kubewright candidates || _files
}
compdef _kubewright kubewright
`;
}

function fishScript(all: readonly Candidates[]): string {
  const lines = all.flatMap(({ after, isComplete, candidates }) =>
    candidates.map(([word, description]) => {
      const what = word.startsWith("--") ? `-l ${word.slice(2)}` : `-f -a ${word}`;
      const where = `"__kubewright_after '${after}'${isComplete ? " '*'" : ""}"`;
      return `complete -c kubewright -n ${where} ${what} -d ${quote(description)}`;
    }),
  );
  return `function __kubewright_after
  set -l words (commandline -opc)[2..-1]
  test "$words" = "$argv[1]"; or string match -q -- "$argv[1] $argv[2]" "$words"
end
${lines.join("\n")}
`;
}

/** A pattern for the words alone, or with more behind them. */
function pattern(after: string): string {
  return after === "" ? `""` : `"${after}"|"${after} "*`;
}
