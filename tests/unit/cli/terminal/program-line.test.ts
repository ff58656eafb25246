import { expect, test } from "vitest";
import { COMMANDS } from "../../../../cli/commands/table";
import { parseProgramLine } from "../../../../cli/terminal/program-line";

const parse = (...argv: string[]) => parseProgramLine(COMMANDS, argv, "1.2.3");

test("finds each command of the table by its words, and leaves the other arguments to it", () => {
  for (const [command, { name }] of Object.entries(COMMANDS))
    expect(parse(...name.split(" "), "--help", "x", "--unknown=1")).toEqual({
      command,
      args: ["--help", "x", "--unknown=1"],
    });
});

test("common options may precede the command", () => {
  expect(parse("--quiet", "--no-color", "up", "--yes")).toEqual({
    command: "up",
    args: ["--quiet", "--no-color", "--yes"],
  });
});

test("without arguments, and with --help, it lists the commands and the exit codes", () => {
  for (const argv of [[], ["--help"]]) {
    const { text } = parse(...argv) as { text: string };
    for (const { name } of Object.values(COMMANDS)) expect(text).toContain(name.split(" ").at(-1));
    expect(text).toMatch(/Exit codes: 0 success/);
  }
  expect((parse("node", "--help") as { text: string }).text).toMatch(/Usage: kubewright node[^]*uncordon/);
});

test("prints the version", () => {
  expect(parse("--version")).toEqual({ text: "1.2.3\n" });
});

test.each([
  [["statu"], /unknown command 'statu' \(Did you mean status\?\); run `.*--help` for the commands/],
  [["node", "drainn"], /unknown command 'drainn' \(Did you mean drain\?\); run `.*node.*--help`/],
  [["node"], /the command is incomplete; run `.*node.*--help`/],
  [["--stackk", "up"], /unknown option '--stackk'/],
])("refuses %j", (argv, message) => {
  expect(() => parse(...argv)).toThrow(message);
});
