import { createHash } from "node:crypto";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { StepError } from "../../../../common/errors";
import { prepareComponent } from "../../../../provider/kubeadm/component-upgrade";
import { KeptEtcdError, proveEtcdRestored, proveEtcdUpgrade } from "../../../../provider/kubeadm/etcd-upgrade";
import { waitForNodeAfterOutage } from "../../../../provider/kubeadm/node-after-outage";
import { unitResource } from "../../../../provider/resources/unit";
import { BAD, DemoMachine, GOOD, demoUnit } from "../../../support/demo-machine";
import { settle, useFakeTime } from "../../../support/fake-time";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
vi.mock("../../../../provider/kubeadm/component-upgrade", async (original) => ({
  ...(await original<object>()),
  prepareComponent: vi.fn(),
}));
vi.mock("../../../../provider/kubeadm/etcd-upgrade", async (original) => ({
  ...(await original<object>()),
  proveEtcdUpgrade: vi.fn(),
  proveEtcdRestored: vi.fn(),
}));
vi.mock("../../../../provider/kubeadm/node-after-outage", () => ({ waitForNodeAfterOutage: vi.fn() }));
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
  for (const mock of [prepareComponent, proveEtcdUpgrade, proveEtcdRestored, waitForNodeAfterOutage])
    vi.mocked(mock).mockReset();
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

describe("the API server with another etcd", () => {
  const unhealthy = new StepError({ step: "starting kube-apiserver", cause: "HTTP 500", action: "see the log" });
  const versions = { from: "3.6.6", to: "3.6.8", logs: "`journalctl -u kube-apiserver`" };
  let isKept: boolean;
  beforeEach(() => {
    isKept = true;
    machine.on(/program" --version/, () => (isKept ? "etcd Version: 3.6.6\netcd Version: 3.6.8\n" : ""));
    machine.on(/cat "\$kept\/path"$/, () => (isKept ? "/usr/local/bin/etcd\n" : ""));
    machine.on(/^rm -rf .*programs\/etcd.service/, () => ((isKept = false), ""));
  });

  test("is proved while etcd's program can still be put back", async () => {
    vi.mocked(proveEtcdUpgrade).mockImplementation(async () => expect(isKept).toBe(true));
    await update("1.36.3", "1.35.4");
    expect(vi.mocked(proveEtcdUpgrade).mock.calls.map(([, , change]) => change)).toEqual([versions]);
    expect(isKept).toBe(false);
  });

  test("is not asked for where the program stays, and for a unit that is no etcd", async () => {
    isKept = false;
    await update("1.36.3", "1.35.4");
    isKept = true;
    await update(undefined, "1.35.4");
    expect(proveEtcdUpgrade).not.toHaveBeenCalled();
  });

  test("that is not healthy has etcd put back, which is proved with it, and then its node", async () => {
    vi.mocked(proveEtcdUpgrade).mockRejectedValue(unhealthy);
    await expect(update("1.36.3", "1.35.4")).rejects.toThrow(/HTTP 500.*and etcd\.service is healthy again; correct/s);
    expect(machine.scripts.join("\n")).toContain("path.arriving");
    expect(proveEtcdRestored).toHaveBeenCalledOnce();
    expect(waitForNodeAfterOutage).toHaveBeenCalledOnce();
    expect(machine.begun).toEqual([]);
  });

  test("that is not healthy leaves an etcd whose data the previous one cannot read", async () => {
    vi.mocked(proveEtcdUpgrade).mockRejectedValue(new KeptEtcdError({ ...unhealthy.failure, cause: "not put back" }));
    await expect(update("1.36.3", "1.35.4")).rejects.toThrow("not put back");
    expect(machine.scripts.join("\n")).not.toContain("path.arriving");
    expect(machine.begun).toEqual(["a1/etcd.service"]);
  });

  test("of another version that is put back names what etcd has, and waits for its node", async () => {
    const unit = "kube-apiserver.service";
    const bad = { ...inputs("1.36.3"), unit, files: BAD };
    const recorded = { inputs: { ...inputs("1.35.4"), unit }, outputs: {} };
    await expect(settle(unitResource.update!(machine.recording(), "id", bad, recorded))).rejects.toThrow(
      /kube-apiserver\.service is healthy again; etcd keeps its version, .* to 1\.35\.4 again/,
    );
    expect(waitForNodeAfterOutage).toHaveBeenCalledOnce();
    expect(proveEtcdRestored).not.toHaveBeenCalled();
  });
});

test("a version of Kubernetes before is refused at preview", () => {
  const find = (to: string, unit = "kube-apiserver.service") =>
    unitResource.findImpossibleChanges!({ ...inputs(to), unit }, { ...inputs("1.36.3"), unit }).map(({ path }) => path);
  expect(find("1.35.4")).toEqual(["kubernetes.version"]);
  expect(find("1.36.3")).toEqual([]);
  expect(find("1.35.4", "kube-scheduler.service")).toEqual([]);
});
