import { beforeEach, expect, test, vi } from "vitest";
import { prepareComponent } from "../../../../provider/kubeadm/component-upgrade";
import { staticPodResource } from "../../../../provider/resources/static-pod";
import { settle, useFakeTime } from "../../../support/fake-time";
import { KubeletMachine, MANIFEST } from "../../../support/kubelet-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
vi.mock("../../../../provider/kubeadm/component-upgrade", async (original) => ({
  ...(await original<object>()),
  prepareComponent: vi.fn(),
}));
useFakeTime();

let machine: KubeletMachine;
beforeEach(async () => {
  machine = new KubeletMachine();
  vi.mocked(prepareComponent).mockReset();
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

test("a version of Kubernetes before is refused at preview", () => {
  const api = (version: string) => {
    const { manifest: _, ...rest } = inputs(version, "");
    return { ...rest, manifest: { metadata: { name: "kube-apiserver" } } };
  };
  const find = (to: string) => staticPodResource.findImpossibleChanges!(api(to), api("1.36.3"));
  expect(find("1.35.4").map(({ path }) => path)).toEqual(["kubernetes.version"]);
  expect(find("1.36.3")).toEqual([]);
});
