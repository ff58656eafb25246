import { beforeEach, expect, test, vi } from "vitest";
import type * as health from "../../../../provider/host/health";
import { staticPodResource } from "../../../../provider/resources/static-pod";
import { settle, useFakeTime } from "../../../support/fake-time";
import { StaticPodMachine } from "../../../support/static-pod-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
vi.mock("../../../../provider/host/health", async (original) => ({
  ...(await original<typeof health>()),
  probeHealth: async (machine: StaticPodMachine, endpoint: health.Endpoint) => machine.probe(endpoint),
}));
useFakeTime();

const CONFIG = "/etc/kubernetes/etcd.conf";
const OTHER = "/etc/kubernetes/other.conf";

let machine: StaticPodMachine;
let isRecorded: boolean;
beforeEach(async () => {
  machine = new StaticPodMachine();
  isRecorded = true;
  await settle(staticPodResource.create(context(), inputs("--good", "one\n")));
});

const file = (content: string) => ({ content, mode: "0644" });
function inputs(flag: string, config: string, more: Record<string, ReturnType<typeof file>> = {}) {
  const spec = { containers: [{ name: "etcd", command: ["etcd", flag] }] };
  return {
    ...machine.target,
    node: "cp-1",
    manifest: { apiVersion: "v1", kind: "Pod", metadata: { name: "etcd" }, spec },
    files: { [CONFIG]: file(config), ...more },
    health: { scheme: "HTTP" as const, port: 2381, path: "/readyz", timeout: 60 },
    state: [],
  };
}
function context() {
  return machine.context({ begin: () => void (isRecorded = true), undo: () => void (isRecorded = false) });
}
const update = (after: ReturnType<typeof inputs>) =>
  settle(staticPodResource.update!(context(), "id", after, { inputs: inputs("--good", "one\n"), outputs: {} })).catch(
    (error: Error) => error.message,
  );
const snapshot = () => Object.fromEntries([...machine.files].map(([path, { content }]) => [path, content]));

test("a pod that keeps exiting is put back, and the error quotes its log and the changed lines", async () => {
  const before = snapshot();
  const failure = await update(inputs("--no-such-flag", "two\n", { [OTHER]: file("x\n") }));
  expect(failure).toMatch(/starting etcd failed on worker-1.*: its container keeps exiting.*unknown flag/s);
  expect(failure).toContain(`${CONFIG}\n- one\n+ two`);
  expect(failure).toMatch(/manifests\/etcd.yaml\n[^]*- --good\n[^]*--no-such-flag/);
  expect(failure).toContain("The previous files were restored, and etcd is healthy again");
  expect(snapshot()).toEqual(before);
  expect(machine.history.at(-1)).toContain("--good");
  expect(isRecorded).toBe(false);
});

test("a pod whose endpoint does not become healthy is put back at the deadline", async () => {
  const before = snapshot();
  expect(await update(inputs("--unhealthy", "one\n"))).toMatch(/not healthy after 60 s.*etcd is healthy again/s);
  expect(snapshot()).toEqual(before);
});

test("a change that becomes healthy stays", async () => {
  expect(await update(inputs("--better", "two\n"))).toEqual({});
  expect(machine.manifest("etcd")).toContain("--better");
  expect(machine.files.get(CONFIG)?.content).toBe("two\n");
});

test("where the previous pod does not become healthy either, the change stays recorded", async () => {
  machine.broken = /--no-such-flag|--good/;
  const failure = await update(inputs("--no-such-flag", "one\n"));
  expect(failure).not.toContain("restored");
  expect(isRecorded).toBe(true);
});
