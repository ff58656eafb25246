import { describe, expect, test } from "vitest";
import { containerdConfig, findManagedSettings } from "../../../render/containerd";
import { addSettings, type ContainerdSettings } from "../../../render/containerd-settings";

const IMAGES = "io.containerd.cri.v1.images";
const RUNTIME = "io.containerd.cri.v1.runtime";
const TEXT = "version = 3\n\n[plugins.'io.containerd.cri.v1.runtime']\n  enable_cdi = true\n";

describe("settings of containerd", () => {
  test.each<[string, ContainerdSettings, string]>([
    ["at the top precede all tables", { state_size: -5 }, TEXT.replace("3\n", "3\nstate_size = -5\n")],
    [
      "are added to a table that exists",
      { plugins: { [RUNTIME]: { max: 1 } } },
      TEXT.replace("runtime']\n", "runtime']\nmax = 1\n"),
    ],
    [
      "get a new table otherwise",
      { plugins: { [IMAGES]: { max_concurrent_downloads: 5, names: ["a", { "b c": true }] } } },
      `${TEXT}\n[plugins.'${IMAGES}']\nmax_concurrent_downloads = 5\nnames = ["a", { 'b c' = true }]\n`,
    ],
    ["without a value add nothing", { plugins: {} }, TEXT],
  ])("%s", (_, settings, expected) => {
    expect(addSettings(TEXT, settings)).toBe(expected);
  });

  test("cannot leave their string", () => {
    expect(addSettings(TEXT, { root: 'a"\nversion = 1' })).toContain('root = "a\\"\\nversion = 1"\n');
  });

  test("are part of the node's file", () => {
    const options = { pauseImage: "pause", facts: { capSysResource: true } };
    expect(containerdConfig({ ...options, settings: {} })).toBe(containerdConfig(options));
    expect(containerdConfig({ ...options, settings: { state_size: -5 } })).toContain("\nstate_size = -5\n");
  });

  test.each<[string, ContainerdSettings, string[]]>([
    ["version", { version: 2 }, ["version"]],
    [
      "nested",
      { plugins: { [IMAGES]: { registry: { config_path: "/x" } } } },
      [`plugins.'${IMAGES}'.registry.config_path`],
    ],
    ["none", { state_size: 1, plugins: { [IMAGES]: { max_concurrent_downloads: 5 } } }, []],
  ])("that Kubewright sets itself are found: %s", (_, settings, expected) => {
    expect(findManagedSettings(settings)).toEqual(expected);
  });
});
