import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { COMMANDS } from "../../../../cli/commands/table";
import { completionScript, SHELLS, type Shell } from "../../../../cli/terminal/completion";

const script = (shell: Shell) => completionScript(shell, Object.values(COMMANDS));

/** Completes a command line in a real shell. Returns undefined where the shell is not installed. */
function complete(shell: Shell, words: readonly string[]): string[] | undefined {
  const line = words.map((word) => JSON.stringify(word)).join(" ");
  const calls: Record<Shell, string> = {
    bash: `COMP_WORDS=(${line}); COMP_CWORD=$((\${#COMP_WORDS[@]}-1)); _kubewright; printf '%s\\n' "\${COMPREPLY[@]}"`,
    zsh: `words=(${line}); CURRENT=$#words; _describe() { print -l -- $candidates }; _kubewright`,
    fish: `complete -C ${JSON.stringify(words.join(" "))}`,
  };
  const prepare = shell === "zsh" ? "compdef() { : }\n" : "";
  const { stdout, error } = spawnSync(shell, ["-c", `${prepare}${script(shell)}${calls[shell]}`], { encoding: "utf8" });
  return error
    ? undefined
    : stdout
        .split("\n")
        .map((row) => row.split(/[:\t]/)[0] ?? "")
        .filter(Boolean);
}

test.each(SHELLS)("%s completes commands, their second words and options", (shell) => {
  const commands = complete(shell, ["kubewright", ""]);
  if (commands === undefined) return expect(script(shell)).toContain("kubewright");
  expect(commands).toEqual(expect.arrayContaining(["up", "node", "completion"]));
  expect(commands).not.toContain("drain");
  expect(complete(shell, ["kubewright", "node", "d"])).toContain("drain");
  expect(complete(shell, ["kubewright", "node", "drain", "worker-1", "--t"])).toContain("--timeout");
  expect(complete(shell, ["kubewright", "up", "--"])).not.toContain("--to");
});
