import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { parse, stringify } from "yaml";
import { mergeKubeconfig, unmergeKubeconfig, userKubeconfig } from "../../../../cli/engine/merge-kubeconfig";

let root: string;
let source: string;
let target: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "kubewright-merge-"));
  vi.stubEnv("KUBEWRIGHT_PROJECT", root);
  mkdirSync(join(root, ".kubewright", "dev"), { recursive: true });
  source = join(root, "own");
  target = join(root, "home", "config");
  writeFileSync(source, stringify(kubeconfig("kubernetes", "https://10.0.0.10:6443")));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true, force: true });
});

const kubeconfig = (name: string, server: string) => ({
  apiVersion: "v1",
  kind: "Config",
  clusters: [{ name, cluster: { server } }],
  users: [{ name: `${name}-admin`, user: { token: "t" } }],
  contexts: [{ name: `${name}-admin@${name}`, context: { cluster: name, user: `${name}-admin` } }],
  "current-context": `${name}-admin@${name}`,
});
const merged = () => parse(readFileSync(target, "utf8")) as ReturnType<typeof kubeconfig>;

test("adds the cluster with the name of the stack, and keeps the others", async () => {
  mkdirSync(join(root, "home"));
  writeFileSync(target, stringify({ ...kubeconfig("work", "https://work"), preferences: { colors: true } }));
  await mergeKubeconfig("dev", source, target);
  await mergeKubeconfig("dev", source, target); // replaces its own entry
  expect(merged()).toMatchObject({
    clusters: [{ name: "work" }, { name: "kubewright-dev", cluster: { server: "https://10.0.0.10:6443" } }],
    users: [{ name: "work-admin" }, { name: "kubewright-dev", user: { token: "t" } }],
    contexts: [{}, { name: "kubewright-dev", context: { cluster: "kubewright-dev", user: "kubewright-dev" } }],
    "current-context": "kubewright-dev",
    preferences: { colors: true },
  });
});

test("keeps the comments of the user's file", async () => {
  mkdirSync(join(root, "home"));
  writeFileSync(target, `# of the office\n${stringify(kubeconfig("work", "https://work"))}`);
  await mergeKubeconfig("dev", source, target);
  await unmergeKubeconfig("dev");
  expect(readFileSync(target, "utf8")).toContain("# of the office");
});

test("a new kubeconfig is readable by its owner alone", async () => {
  await mergeKubeconfig("dev", source, target);
  expect(statSync(target).mode & 0o777).toBe(0o600);
  expect(merged().kind).toBe("Config");
});

test("a symbolic link stays one, and its target keeps its mode", async () => {
  mkdirSync(join(root, "home"));
  const real = join(root, "home", "real");
  writeFileSync(real, stringify(kubeconfig("work", "https://work")));
  chmodSync(real, 0o640);
  symlinkSync("real", target);
  await mergeKubeconfig("dev", source, target);
  expect(lstatSync(target).isSymbolicLink()).toBe(true);
  expect(readFileSync(real, "utf8")).toContain("kubewright-dev");
  await unmergeKubeconfig("dev");
  expect(lstatSync(target).isSymbolicLink()).toBe(true);
  expect(statSync(real).mode & 0o777).toBe(0o640);
});

test("refuses the name of a cluster that another project added", async () => {
  await mergeKubeconfig("dev", source, target);
  rmSync(join(root, ".kubewright", "dev", "merged-kubeconfig.json"));
  await expect(mergeKubeconfig("dev", source, target)).rejects.toThrow(/already has a cluster named kubewright-dev/);
});

test("removes only what it added", async () => {
  mkdirSync(join(root, "home"));
  writeFileSync(target, stringify(kubeconfig("work", "https://work")));
  await mergeKubeconfig("dev", source, target);
  expect(await unmergeKubeconfig("dev")).toBe(target);
  expect(merged()).toEqual({ ...kubeconfig("work", "https://work"), "current-context": "" });
  expect(await unmergeKubeconfig("dev")).toBeUndefined();
});

test("the user's kubeconfig is the first file of KUBECONFIG", async () => {
  vi.stubEnv("KUBECONFIG", `/one/config:/two/config`);
  expect(userKubeconfig()).toBe("/one/config");
  await expect(mergeKubeconfig("dev", "/one/config")).rejects.toThrow(/KUBECONFIG is the cluster's own kubeconfig/);
  vi.stubEnv("KUBECONFIG", "");
  expect(userKubeconfig()).toMatch(/\.kube\/config$/);
});
