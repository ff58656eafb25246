import { beforeEach, describe, expect, test, vi } from "vitest";
import { StepError } from "../../../../common/errors";
import { actionAfterPutBack, prepareComponent } from "../../../../provider/kubeadm/component-upgrade";
import { KeptEtcdError, proveEtcdRestored, proveEtcdUpgrade } from "../../../../provider/kubeadm/etcd-upgrade";
import { waitForNodeAfterOutage } from "../../../../provider/kubeadm/node-after-outage";
import { staticPodResource } from "../../../../provider/resources/static-pod";
import { settle, useFakeTime } from "../../../support/fake-time";
import { KEPT, KubeletMachine, MANIFEST } from "../../../support/kubelet-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
vi.mock("../../../../provider/kubeadm/component-upgrade", async (original) => ({
  ...(await original<object>()),
  actionAfterPutBack: vi.fn(),
  prepareComponent: vi.fn(),
}));
vi.mock("../../../../provider/kubeadm/etcd-upgrade", async (original) => ({
  ...(await original<object>()),
  proveEtcdUpgrade: vi.fn(),
  proveEtcdRestored: vi.fn(),
}));
vi.mock("../../../../provider/kubeadm/node-after-outage", () => ({ waitForNodeAfterOutage: vi.fn() }));
useFakeTime();

let machine: KubeletMachine;
beforeEach(async () => {
  machine = new KubeletMachine();
  for (const mock of [prepareComponent, proveEtcdUpgrade, proveEtcdRestored, waitForNodeAfterOutage])
    vi.mocked(mock).mockReset();
  await settle(staticPodResource.create(machine.context(), inputs("1.35.4", "etcd:3.6.6-0")));
  await settle(staticPodResource.read!(machine.context(), "id", recorded()));
});

const inputs = (kubernetes: string, image: string) => ({
  ...machine.target,
  node: "cp-1",
  manifest: { apiVersion: "v1", kind: "Pod", metadata: { name: "etcd" }, spec: { containers: [{ image }] } },
  files: {},
  state: [],
  kubernetes,
});
const recorded = () => ({ inputs: inputs("1.35.4", "etcd:3.6.6-0"), outputs: {} });
const upgrade = (image: string) =>
  settle(staticPodResource.update!(machine.context(), "id", inputs("1.36.3", image), recorded()));
const manifest = () => machine.files.get(MANIFEST)?.content;

test("another image of etcd is prepared while the previous one runs", async () => {
  vi.mocked(prepareComponent).mockImplementation(async () => void expect(manifest()).toContain("etcd:3.6.6-0"));
  await upgrade("etcd:3.6.8-0");
  expect(vi.mocked(prepareComponent).mock.calls.map(([, , change]) => change)).toEqual([
    { component: "etcd", from: "3.6.6", to: "1.36.3", connection: machine.connection },
  ]);
  expect(manifest()).toContain("etcd:3.6.8-0");
});

test("another image is not started where the cluster is not ready for it", async () => {
  vi.mocked(prepareComponent).mockRejectedValue(new Error("etcd: alarm NOSPACE"));
  await expect(upgrade("etcd:3.6.8-0")).rejects.toThrow("NOSPACE");
  expect(manifest()).toContain("etcd:3.6.6-0");
});

test("the same image, and one that an interrupted run has written, need no preparation", async () => {
  await upgrade("etcd:3.6.6-0");
  machine.files.set(MANIFEST, { content: manifest()!.replace("etcd:3.6.6-0", "etcd:3.6.8-0"), mode: "0600" });
  await upgrade("etcd:3.6.8-0");
  expect(prepareComponent).not.toHaveBeenCalled();
});

describe("the API server with another etcd", () => {
  const unhealthy = new StepError({ step: "starting kube-apiserver", cause: "HTTP 500", action: "see the log" });
  const versions = { from: "3.6.6", to: "3.6.8", logs: "/var/log/pods/*_kube-apiserver-*" };

  test("is proved while etcd can still be put back", async () => {
    vi.mocked(proveEtcdUpgrade).mockImplementation(async () => {
      expect(machine.running).toContain("etcd:3.6.8-0");
      expect(machine.kept).toContain(`${KEPT}${MANIFEST}`);
    });
    await upgrade("etcd:3.6.8-0");
    expect(vi.mocked(proveEtcdUpgrade).mock.calls.map(([, , change]) => change)).toEqual([versions]);
    expect(machine.kept).toEqual([]);
  });

  test("is not asked for where the image stays", async () => {
    await upgrade("etcd:3.6.6-0");
    expect(proveEtcdUpgrade).not.toHaveBeenCalled();
  });

  test("that is not healthy has etcd put back, which is proved with it, and then its node", async () => {
    vi.mocked(proveEtcdUpgrade).mockRejectedValue(unhealthy);
    vi.mocked(proveEtcdRestored).mockImplementation(async () => expect(machine.running).toContain("etcd:3.6.6-0"));
    vi.mocked(actionAfterPutBack).mockReturnValueOnce("read what etcd has");
    await expect(upgrade("etcd:3.6.8-0")).rejects.toThrow(/HTTP 500.*etcd:3.6.8-0.*healthy again; read what etcd has/s);
    expect(vi.mocked(actionAfterPutBack).mock.lastCall).toMatchObject([{ kubernetes: "1.36.3" }, "3.6.6"]);
    expect(manifest()).toContain("etcd:3.6.6-0");
    expect(proveEtcdRestored).toHaveBeenCalledOnce();
    expect(waitForNodeAfterOutage).toHaveBeenCalledOnce();
  });

  test("is proved by the run after an interrupted one too", async () => {
    const written = { content: manifest()!.replace("etcd:3.6.6-0", "etcd:3.6.8-0"), mode: "0600" };
    machine.files.set(`${KEPT}${MANIFEST}`, machine.files.get(MANIFEST)!);
    machine.files.set(MANIFEST, written);
    vi.mocked(proveEtcdUpgrade).mockRejectedValue(unhealthy);
    await expect(upgrade("etcd:3.6.8-0")).rejects.toThrow("etcd is healthy again");
    expect(manifest()).toContain("etcd:3.6.6-0");
  });

  test("that is not healthy leaves an etcd whose data the previous one cannot read", async () => {
    vi.mocked(proveEtcdUpgrade).mockRejectedValue(new KeptEtcdError({ ...unhealthy.failure, cause: "not put back" }));
    await expect(upgrade("etcd:3.7.0-0")).rejects.toThrow("not put back");
    expect(manifest()).toContain("etcd:3.7.0-0");
    // The next run continues.
    expect(machine.kept).toContain(`${KEPT}${MANIFEST}`);
  });
});

test("a version of Kubernetes before is refused at preview", () => {
  const api = (version: string) => {
    const { manifest: _, ...rest } = inputs(version, "");
    return { ...rest, manifest: { metadata: { name: "kube-apiserver" } } };
  };
  const find = (to: string) => staticPodResource.findImpossibleChanges!(api(to), api("1.36.3"));
  expect(find("1.35.4").map(({ path }) => path)).toEqual(["kubernetes.version"]);
  expect(find("1.36.3")).toEqual([]);
});
