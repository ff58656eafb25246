import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { projectRoot } from "../../../../common/project-root";
import { parseConfig } from "../../../../components/config";
import { machineRequests } from "../../../../components/program/create-machines";
import { loadVersions } from "../../../../artifacts";

const folder = join(projectRoot(), "examples");
const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((path) =>
  /^[^/]+\/Pulumi\..+\.yaml$/.test(path),
);

/** Returns an example's configuration as the program reads it. */
function machinesOf(file: string): string[] {
  const { config } = parse(readFileSync(join(folder, file), "utf8")) as { config: Record<string, unknown> };
  const raw = Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key.replace(/^kubewright:/, ""), value]),
  );
  const parsed = parseConfig(raw, {
    kubernetesVersions: Object.keys(loadVersions().kubernetes.supported),
    fileExists: () => true,
  });
  return machineRequests(parsed).map(({ name, kind }) => `${kind.name} ${name}`);
}

describe("example configurations", () => {
  test.each(files)("%s is valid", (file) => {
    expect(machinesOf(file).length).toBeGreaterThan(0);
  });

  test("create the machines that their comments describe", () => {
    expect(machinesOf("vagrant-fedora-3/Pulumi.fedora.yaml")).toEqual([
      "vagrant control-plane-1",
      "vagrant worker-1",
      "vagrant worker-2",
    ]);
    expect(machinesOf("mixed/Pulumi.mixed.yaml")).toEqual(["docker control-plane-1", "vagrant worker-1", "ssh mine"]);
  });
});
