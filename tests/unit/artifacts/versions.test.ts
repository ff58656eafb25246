import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { fillTemplate, kubeadmImagesOf, loadVersions, parseVersions } from "../../../artifacts/versions";
import { StepError } from "../../../common/errors";
import { projectRoot } from "../../../common/project-root";

const text = readFileSync(join(projectRoot(), "versions.yaml"), "utf8");

test("every module of every component has a sum for the component's version", () => {
  const modules = Object.values(loadVersions().components).flatMap((component) =>
    component.modules.map((module) => module.sums[component.version]),
  );
  expect(modules.length).toBeGreaterThan(8);
  expect(modules.every((sum) => sum?.startsWith("h1:"))).toBe(true);
});

test("every supported Kubernetes can be built: it has a sum", () => {
  const versions = loadVersions();
  const sums = versions.components.kubernetes.modules[0]?.sums ?? {};
  expect(Object.keys(sums).sort()).toEqual(Object.keys(versions.kubernetes.supported).sort());
  expect(versions.kubernetes.supported).toHaveProperty([versions.kubernetes.default]);
});

test("refuses a version without its sum, with the component's name", () => {
  const moved = text.replace("  coredns:\n    version: 1.14.7", "  coredns:\n    version: 1.14.8");
  expect(moved).not.toBe(text);
  expect(() => parseVersions(moved)).toThrow(/has no sum for 1\.14\.8[\s\S]*components\.coredns/);
});

test("refuses a misspelt property", () => {
  expect(() => parseVersions(text.replace("cgo: true", "cg0: true"))).toThrow(StepError);
});

test("fills templates", () => {
  expect(fillTemplate("v{version} {major}.{minor}.{patch} {arch} {other}", { version: "1.36.3", arch: "arm64" })).toBe(
    "v1.36.3 1.36.3 arm64 {other}",
  );
});

test("refuses an unknown Kubernetes version, and lists the supported ones", () => {
  expect(() => kubeadmImagesOf(loadVersions(), "1.2.3")).toThrow(/1\.2\.3.*use one of 1\.36\.3/);
});
