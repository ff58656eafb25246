import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { loadVersions } from "../../../artifacts";
import { RUNG_CHECKS } from "../../../cli/nodes/ladder-checks";
import { projectRoot } from "../../../common/project-root";
import { type ConfigEnvironment, parseConfig } from "../../../components/config";
import { clusterSchema } from "../../../components/config/schema";
import { EMPTY_SSH_CONFIG } from "../../../components/machines/ssh-route";
import { fencedBlocks, readPages } from "../../support/markdown";

const PAGES = readPages();
const PREFIX = "kubewright:";
const SECRET = "0123456789abcdef";

/** The computer of a user who runs an SSH agent and whose ~/.ssh/config has every alias. */
const SURROUNDINGS: ConfigEnvironment = {
  kubernetesVersions: Object.keys(loadVersions().kubernetes.supported),
  fileExists: () => true,
  ssh: { ...EMPTY_SSH_CONFIG, agent: true, settings: () => ({ isNamed: true, identityFiles: ["~/.ssh/id_ed25519"] }) },
};

interface StackFile {
  config: Record<string, unknown>;
}

/** Returns the YAML examples that are stack configurations. An encrypted value becomes some text. */
function stackConfigurations(text: string): StackFile[] {
  return fencedBlocks(text, "yaml")
    .filter((block) => /^config:/m.test(block) && block.includes(PREFIX))
    .map((block) => parse(block.replaceAll("{ secure: ... }", SECRET)) as StackFile);
}

function sectionsOf({ config }: StackFile): Record<string, unknown> {
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key.slice(PREFIX.length), value]));
}

describe.each(PAGES.filter(({ text }) => stackConfigurations(text).length > 0))("$path", ({ text }) => {
  test("has only configurations that are valid", () => {
    for (const file of stackConfigurations(text))
      expect(() => parseConfig(sectionsOf(file), SURROUNDINGS)).not.toThrow();
  });
});

test("every npm command that a page names exists", () => {
  const { scripts } = JSON.parse(readFileSync(join(projectRoot(), "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  const unknown = PAGES.flatMap(({ path, text }) =>
    [...text.matchAll(/npm run (?:-s )?([a-z][\w:-]*)/g)]
      .map(([, script = ""]) => script)
      .filter((script) => scripts[script] === undefined)
      .map((script) => `${path}: npm run ${script}`),
  );
  expect(unknown).toEqual([]);
});

test("the page about the ladder shows each check of the walk", () => {
  const ladder = PAGES.find(({ path }) => path === join("docs", "ladder.md"))?.text.split("\n");
  const comments = Object.values(RUNG_CHECKS).flatMap((checks) => checks.map(({ shows }) => `# ${shows}`));
  expect(comments.length).toBeGreaterThan(0);
  expect(ladder).toEqual(expect.arrayContaining(comments));
});

test("every property that a page sets with --config exists", () => {
  const unknown = PAGES.flatMap(({ path, text }) =>
    [...text.matchAll(/--config '?([a-z][\w.[\]]*)=/g)]
      .map(([, property = ""]) => property)
      .filter((property) => !isProperty(property))
      .map((property) => `${path}: ${property}`),
  );
  expect(unknown).toEqual([]);
});

/** Sets the property to a value of no type: the schema reports its type, or that the property does not exist. */
function isProperty(path: string): boolean {
  const value = path
    .split(/[.[\]]+/)
    .filter(Boolean)
    .reduceRight<unknown>((inner, key) => (/^\d+$/.test(key) ? [inner] : { [key]: inner }), Symbol("no value"));
  const issues = clusterSchema.safeParse(value).error?.issues ?? [];
  return issues.every(({ code }) => code !== "unrecognized_keys");
}
