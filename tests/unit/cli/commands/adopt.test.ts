import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { EngineEvent, Stack } from "@pulumi/pulumi/automation";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { run } from "../../../../cli/commands/adopt";
import { configOf } from "../../../../components/program/program-config";
import { ADOPT_VARIABLE } from "../../../../provider/settings/settings";
import type { Options } from "../../../../cli/terminal/options";
import { CLUSTER, fakeSession, fakeStack, urnOf } from "../fake-stack";
import { event } from "../preview/steps";

const mocks = vi.hoisted(() => ({
  confirm: vi.fn<(question: string) => Promise<boolean>>(),
  runOperation: vi.fn(async () => undefined),
  runCommand: vi.fn<(file: string, args: string[], options: { env?: object }) => Promise<string>>(),
}));
let folder: string;
let session: ReturnType<typeof fakeSession>;
/** The user's stack, if it exists. */
let stack: Stack | undefined;
let bootstrap: string;
/** Steps of the previews: before and after the adoption. */
let previews: EngineEvent[][];
let upEvents: EngineEvent[];
let failure: Error | undefined;
/** What the engine did in the scratch stack, with whether it adopts. */
let operations: string[];
let output: string;

vi.mock("../../../../cli/terminal/prompt", () => ({ confirm: mocks.confirm }));
vi.mock("../../../../cli/engine/operate", () => ({ runOperation: mocks.runOperation }));
vi.mock("../../../../common/process", () => ({ runCommand: mocks.runCommand }));
vi.mock("../../../../cli/engine/fill-cache", () => ({ fillCache: async () => undefined }));
vi.mock("../../../../cli/engine/stack-lock", () => ({
  withStackLock: async (_stack: string, _project: string, _command: string, work: () => Promise<number>) =>
    await work(),
}));
vi.mock("../../../../cli/engine/session", () => ({
  withSession: async (_stack: string, work: (one: unknown) => Promise<number>) => await work(session),
}));
vi.mock("../../../../cli/engine/paths", () => ({
  hiddenFolder: () => join(folder, ".kubewright"),
  stackConfigFile: () => join(folder, "Pulumi.dev.yaml"),
}));
vi.mock("../../../../cli/engine/stack-config", () => ({
  readStackConfig: async () => configOf({ bootstrap: JSON.stringify(bootstrap) }),
}));
vi.mock("../../../../cli/engine/workspace", () => ({
  prepareEngine: async () => ({}),
  findStack: async () => stack,
  openStack: async () => (stack = fakeStack()),
  openScratchStack: async (_name: string, state: string) => scratchStack(state),
}));

/** A scratch stack in which the engine finds the cluster. */
function scratchStack(state: string): Stack {
  writeFileSync(join(folder, "Pulumi.dev.yaml"), "encryptionsalt: v1\n");
  const envVars: Record<string, string> = { PULUMI_BACKEND_URL: `file://${state}` };
  const note = (operation: string) => operations.push(`${operation}${envVars[ADOPT_VARIABLE] ? ", adopting" : ""}`);
  // The engine records machines in the order in which they are done.
  return fakeStack([...CLUSTER].reverse(), {
    workspace: { workDir: "/", envVars },
    up: async ({ onEvent }: { onEvent: (one: EngineEvent) => void }) => {
      note("up");
      upEvents.forEach(onEvent);
      if (failure) throw failure;
    },
    refresh: async () => void note("refresh"),
    preview: async ({ onEvent }: { onEvent: (one: EngineEvent) => void }) => {
      note("preview");
      previews.shift()?.forEach(onEvent);
    },
  });
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kubewright-adopt-"));
  session = fakeSession();
  [stack, failure, bootstrap, output] = [undefined, undefined, "kubeadm", ""];
  [previews, upEvents, operations] = [[], [], []];
  for (const mock of Object.values(mocks)) mock.mockReset();
  mocks.confirm.mockResolvedValue(true);
  const capture = (text: string | Uint8Array) => ((output += String(text)), true);
  vi.spyOn(process.stdout, "write").mockImplementation(capture);
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

const options = (...flags: string[]): Options => ({
  stack: "dev",
  config: {},
  flags: new Set(flags),
  values: {},
  words: [],
});
const configFile = () => join(folder, "Pulumi.dev.yaml");
const planned = (...metadata: object[]) =>
  metadata.map((one) => ({ resourcePreEvent: { metadata: one } }) as unknown as EngineEvent);
const diagnostic = (severity: string, message: string, urn?: string) =>
  ({ diagnosticEvent: { severity, message, urn, color: "never" } }) as unknown as EngineEvent;
const kubeconfig = () => event("create", "local:Kubeconfig", "kubeconfig", { desired: { path: "/k/kubeconfig" } });
const unit = () => event("update", "host:Unit", "worker-1-kubelet", { current: { problem: "failed" }, desired: {} });

test("adopts into a scratch stack, compares without adopting, and copies the encrypted state after a yes", async () => {
  expect(await run(options())).toBe(0);
  expect(operations).toEqual(["preview", "up, adopting", "refresh", "preview"]);
  const [exported, imported] = mocks.runCommand.mock.calls;
  const [pulumi, scratchFolder] = ["pulumi", `file://${join(folder, ".kubewright")}`];
  expect(exported?.slice(0, 2)).toEqual([pulumi, expect.arrayContaining(["stack", "export"])]);
  expect(exported?.[1]).not.toContain("--show-secrets");
  expect(exported?.[2].env).toEqual({ PULUMI_BACKEND_URL: expect.stringContaining(scratchFolder) as string });
  expect(imported?.slice(0, 2)).toEqual([pulumi, expect.arrayContaining(["stack", "import"])]);
  expect(imported?.[2].env).toBeUndefined();
  expect(output).toContain("Adopt 2 machines and 6 resources into stack dev:");
  expect(output).toMatch(/^worker-1 +10\.0\.0\.11 +ssh-ed25519 SHA256:\S+ \(first connection\)$/m);
  expect(output).toContain("Compare the keys of first connections");
  expect(output).toContain("match the configuration.");
  expect(output).toContain("Nothing was changed on them; check it with `npm run status`.");
  expect(readFileSync(configFile(), "utf8")).toContain("encryptionsalt");
  expect(readdirSync(join(folder, ".kubewright"))).toEqual([]);
});

describe("a run that adopts nothing", () => {
  test.each([
    ["with --plan", ["plan"], 0],
    ["after a no", [], 1],
  ])("%s leaves the stack and the configuration as they were", async (_when, flags, exitCode) => {
    mocks.confirm.mockResolvedValue(false);
    writeFileSync(configFile(), "config: {}\n");
    expect(await run(options(...flags))).toBe(exitCode);
    expect(mocks.runCommand).not.toHaveBeenCalled();
    expect(stack).toBeUndefined();
    expect(readFileSync(configFile(), "utf8")).toBe("config: {}\n");
    expect(readdirSync(join(folder, ".kubewright"))).toEqual([]);
  });

  test("removes a configuration that only its scratch stack has written", async () => {
    await run(options("plan"));
    expect(existsSync(configFile())).toBe(false);
  });

  test("names every machine that refuses, once for each cause", async () => {
    failure = new Error("code: 255");
    const cause = "adopting the machine failed on worker-1: it is not a member; remove it";
    const urn = urnOf("kubewright:kubeadm:Join", "worker-1-join");
    upEvents = [
      diagnostic("error", cause, urn),
      diagnostic("error", "SSH connection failed on cp-1: refused", urnOf("kubewright:host:Host", "cp-1-host")),
      diagnostic("error", "update failed", urnOf("pulumi:pulumi:Stack", "kubewright-dev")),
    ];
    const message = await run(options("yes")).catch((error: Error) => error.message);
    expect(message).toBe(
      "adopting the cluster failed: refused, and nothing was changed\n" +
        `✗ Join worker-1-join: ${cause}\n` +
        "✗ Host cp-1-host: SSH connection failed on cp-1: refused\n" +
        "Correct this, then run `npm run adopt` again.",
    );
    expect(operations).toEqual(["preview", "up, adopting"]);
    expect(mocks.runCommand).not.toHaveBeenCalled();
  });

  test("reports a failure of the engine itself as it is", async () => {
    failure = new Error("no space left on device");
    await expect(run(options("yes"))).rejects.toThrow("no space left on device");
  });

  test.each([
    [
      "hcloud:index:Server",
      /1 resource of other providers, such as hcloud:index:Server a; list the machines of a cloud/,
    ],
    ["command:remote:Command", /such as command:remote:Command a; remove the commands of pools from the config/],
  ])("refuses a configuration with %s, which another provider would create", async (type, message) => {
    previews = [planned({ ...event("create", "host:Unit", "a", { desired: {} }), type })];
    await expect(run(options())).rejects.toThrow(message);
    expect(operations).toEqual(["preview"]);
  });

  test("refuses a cluster that is built by components, and a stack that has a state", async () => {
    bootstrap = "components";
    await expect(run(options())).rejects.toThrow(/keys of a cluster that is built by components are only in its state/);
    stack = fakeStack(CLUSTER);
    await expect(run(options())).rejects.toThrow(/stack "dev" has a state with 6 resources; run `npm run drift`/);
    expect(operations).toEqual([]);
  });
});

test("a stack without resources is adopted into", async () => {
  stack = fakeStack([{ type: "pulumi:pulumi:Stack", name: "kubewright-dev" }]);
  expect(await run(options("yes"))).toBe(0);
  expect(mocks.confirm).not.toHaveBeenCalled();
});

test("what differs is shown as the plan of the next update, with the warnings of the adoption", async () => {
  previews = [[], planned(unit())];
  const urn = urnOf("kubewright:kubeadm:ControlPlane", "control-plane-1-control-plane");
  upEvents = [diagnostic("warning", "the control plane differs in ClusterConfiguration.clusterName", urn)];
  expect(await run(options("yes"))).toBe(0);
  expect(output).toContain("After the adoption, an update would change:");
  expect(output).toContain("note: ControlPlane control-plane-1-control-plane: the control plane differs in");
  expect(output).toContain("is failed: repaired");
  expect(output).toContain("see what an update would change with `npm run preview`");
});

test("a missing kubeconfig is left to the next update where that would change more", async () => {
  previews = [[], planned(kubeconfig(), unit())];
  expect(await run(options("yes"))).toBe(0);
  expect(output).toContain("The kubeconfig /k/kubeconfig is missing: the next update writes it.");
  expect(mocks.runOperation).not.toHaveBeenCalled();
});

test("a missing kubeconfig is no difference: an update that changes nothing else writes it", async () => {
  previews = [[], planned(kubeconfig())];
  expect(await run(options("yes"))).toBe(0);
  expect(output).toContain("The kubeconfig /k/kubeconfig is written again.");
  expect(output).toContain("match the configuration.");
  expect(mocks.runOperation).toHaveBeenCalledWith(stack, "up", session);
});

test("--json prints one document, for a plan and for an adoption", async () => {
  previews = [[], planned(unit()), [], []];
  await run(options("plan", "json"));
  expect(JSON.parse(output)).toMatchObject({
    adopted: false,
    stack: "dev",
    machines: [{ name: "control-plane-1", isFirstConnection: true }, { address: "10.0.0.11" }],
    plan: { counts: { resources: 1 } },
  });
  output = "";
  await run(options("yes", "json"));
  expect(JSON.parse(output)).toMatchObject({ adopted: true, resources: 6, plan: { counts: { resources: 0 } } });
});
