import { createHash } from "node:crypto";
import { beforeEach, expect, test, vi } from "vitest";
import { prepareComponent } from "../../../../provider/kubeadm/component-upgrade";
import { unitResource } from "../../../../provider/resources/unit";
import { DemoMachine, GOOD, demoUnit } from "../../../support/demo-machine";
import { settle, useFakeTime } from "../../../support/fake-time";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
vi.mock("../../../../provider/kubeadm/component-upgrade", async (original) => ({
  ...(await original<object>()),
  prepareComponent: vi.fn(),
}));
useFakeTime();

const hashOf = (program: string) => createHash("sha256").update(program).digest("hex");

let machine: DemoMachine;
let running: string;
const inputs = (kubernetes: string | undefined) => ({
  ...demoUnit(machine, GOOD),
  unit: "etcd.service",
  restartOn: { binary: hashOf(kubernetes ?? "") },
  kubernetes,
});
const update = (to: string | undefined, from: string | undefined) =>
  settle(unitResource.update!(machine.recording(), "id", inputs(to), { inputs: inputs(from), outputs: {} }));

beforeEach(async () => {
  machine = new DemoMachine();
  running = hashOf("1.35.4");
  machine.on(/\/proc\/\$pid\/exe" \| cut/, () => `${running}\n`);
  vi.mocked(prepareComponent).mockReset();
  await settle(unitResource.create(machine.recording(), inputs("1.35.4")));
});

test("another program of a component is prepared before its service restarts", async () => {
  const starts = machine.starts;
  vi.mocked(prepareComponent).mockImplementation(async () => void expect(machine.starts).toBe(starts));
  await update("1.36.3", "1.35.4");
  expect(vi.mocked(prepareComponent).mock.calls.map(([, , change]) => change)).toEqual([
    { component: "etcd", from: "1.35.4", to: "1.36.3", connection: machine.connection },
  ]);
  expect(machine.starts).toBe(starts + 1);
});

test("a service does not restart where the cluster is not ready for it", async () => {
  const starts = machine.starts;
  vi.mocked(prepareComponent).mockRejectedValue(new Error("etcd: alarm NOSPACE"));
  await expect(update("1.36.3", "1.35.4")).rejects.toThrow("NOSPACE");
  expect(machine.starts).toBe(starts);
});

test("a service that runs the program already, or is no component, is not prepared", async () => {
  await update("1.35.4", "1.35.4");
  running = hashOf("1.36.3");
  await update("1.36.3", "1.35.4");
  await update(undefined, "1.35.4");
  expect(prepareComponent).not.toHaveBeenCalled();
});

test("a version of Kubernetes before is refused at preview", () => {
  const find = (to: string, unit = "kube-apiserver.service") =>
    unitResource.findImpossibleChanges!({ ...inputs(to), unit }, { ...inputs("1.36.3"), unit }).map(({ path }) => path);
  expect(find("1.35.4")).toEqual(["kubernetes.version"]);
  expect(find("1.36.3")).toEqual([]);
  expect(find("1.35.4", "kube-scheduler.service")).toEqual([]);
});
