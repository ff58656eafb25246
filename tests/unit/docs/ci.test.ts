import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { COMMANDS } from "../../../cli/commands/table";
import { projectRoot } from "../../../common/project-root";
import { parseCommandLine } from "../../../cli/terminal/command-line";

type Step = { run?: string };
const read = (name: string): unknown => parse(readFileSync(join(projectRoot(), "examples", "ci", name), "utf8"));

const github = read("github-actions.yml") as { on: object; jobs: { preview: { steps: Step[] } } };
const gitlab = read("gitlab-ci.yml") as { preview: { script: string[] } };
const SCRIPTS = {
  GitHub: github.jobs.preview.steps.flatMap(({ run }) => run ?? []),
  GitLab: gitlab.preview.script,
};

test.each(Object.entries(SCRIPTS))("the recipe for %s previews and posts the same file", (_, script) => {
  const [call = "", ...others] = script.filter((line) => line.includes("kubewright "));
  expect(others).toEqual([]);
  const [, command = "", args = "", file = ""] =
    /npx kubewright (\S+) (.*) > (\S+) \|\| \[ \$\? -eq 2 \]$/.exec(call) ?? [];
  const parsed = parseCommandLine(COMMANDS[command]!, args.split(" "));
  expect(parsed).toMatchObject({ options: { stack: "prod", flags: new Set(["markdown"]) } });
  expect(script.at(-1)).toContain(file);
});

test("the recipe for GitHub runs on pull requests", () => {
  expect(github.on).toHaveProperty("pull_request");
});
