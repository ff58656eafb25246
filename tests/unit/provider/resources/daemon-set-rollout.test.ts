import { beforeEach, expect, test } from "vitest";
import { StepError } from "../../../../common/errors";
import { daemonSetRolloutResource } from "../../../../provider/resources/daemon-set-rollout";
import { connectionTo } from "../../../support/connection";
import { testContext } from "../../../support/context";

const inputs = {
  controlPlanes: [connectionTo({ host: "10.0.0.9" })],
  caCertHash: "sha256:1",
  namespace: "kube-flannel",
  daemonSet: "kube-flannel-ds",
  revision: "new",
  timeout: 60,
};

let revisions: (string | undefined)[];
let refusal: Error | undefined;
beforeEach(() => {
  revisions = ["new", "new"];
  refusal = undefined;
});

function context() {
  const items = revisions.map((revision) => ({
    metadata: {
      annotations: revision === undefined ? {} : { "kubewright.dev/config": revision },
      ownerReferences: [{ kind: "DaemonSet", name: "kube-flannel-ds", controller: true }],
    },
    status: { conditions: [{ type: "Ready", status: "True" }] },
  }));
  const status = { desiredNumberScheduled: 2 };
  const apps = { readNamespacedDaemonSet: async () => ({ spec: { selector: { matchLabels: {} } }, status }) };
  const found = testContext();
  found.kube.api = async () =>
    refusal ? Promise.reject(refusal) : ({ apps, core: { listNamespacedPod: async () => ({ items }) } } as never);
  return found;
}
const read = async () =>
  (await daemonSetRolloutResource.read!(context(), "id", { inputs, outputs: {} }))?.inputs as typeof inputs | undefined;

test("a refresh reads the revision of a pod that has another one, or none", async () => {
  expect((await read())?.revision).toBe("new");
  revisions = ["new", "old"];
  expect((await read())?.revision).toBe("old");
  revisions = ["new", undefined];
  expect((await read())?.revision).toBe("none");
});

test.each([
  ["no control plane answers", new StepError({ step: "connecting to the Kubernetes API", cause: "no route" })],
  ["the connection is lost", Object.assign(new Error("socket hang up"), { code: "ECONNRESET" })],
])("a refresh keeps the recorded revision when %s", async (_reason, error) => {
  refusal = error;
  expect(await read()).toEqual(inputs);
});

test("the resource is the DaemonSet", async () => {
  expect(await daemonSetRolloutResource.create(context(), inputs)).toEqual({
    id: "kube-flannel/kube-flannel-ds",
    outputs: {},
  });
});
