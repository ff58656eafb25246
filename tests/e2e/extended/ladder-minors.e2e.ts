import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { loadVersions, obtainArtifacts } from "../../../artifacts/index";
import { silent } from "../../../common/progress";
import { controllerArch } from "../../../components/machines/machine";
import { kubectlOf } from "../../support/cluster-client";
import { TestStack } from "../../support/test-stack";

/**
 * Each older minor release climbs to the top rung in one run, on one machine. ladder.e2e.ts has the default release.
 */
const stack = new TestStack("e2e-minors");
const { supported, default: newest } = loadVersions().kubernetes;
const versions = Object.keys(supported).filter((version) => version !== newest);

beforeAll(async () => {
  await stack.down(); // left by a killed test run
  // Where downloads are impossible, the artifacts are built here, before the time limits of the tests start.
  for (const kubernetes of versions)
    await obtainArtifacts(
      { source: "auto", kubernetes, arch: controllerArch(), extras: true },
      silent,
      new AbortController().signal,
    );
}, 60 * 60_000);

afterEach(async () => void (await stack.down("--force")));
afterAll(() => stack.removeFiles());

test.each(versions)("Kubernetes %s climbs all rungs in one run and runs a Deployment", async (version) => {
  const settings = [
    "bootstrap=components",
    "rung=dns",
    "workers.count=0",
    "extras=true",
    `kubernetes.version=${version}`,
  ];
  const { code, text } = await stack.up(...settings.flatMap((setting) => ["--config", setting]));
  expect(code, text).toBe(0);
  expect(text).toMatch(new RegExp(`control-plane-1 +Ready .*v${version}`));
  const kubectl = await kubectlOf(stack);
  await kubectl("apply", "-f", "examples/ladder/web.yaml");
  await kubectl("rollout", "status", "deploy/web", "--timeout=180s");
});
