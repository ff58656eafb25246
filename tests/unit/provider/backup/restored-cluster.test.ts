import { expect, test, vi } from "vitest";
import { waitForApiServer, waitForControllers, waitForKubelets } from "../../../../provider/backup/restored-cluster";
import type { KubeApi } from "../../../../provider/kube/api";
import { settle, useFakeTime } from "../../../support/fake-time";
import { httpError } from "../../../support/memory-api";
import { proofApi } from "../../../support/proof-api";
import { ScriptedMachine } from "../../../support/scripted-machine";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();

const { signal } = new AbortController();
const prove = (answers: Parameters<typeof proofApi>[0] = {}) => {
  const { api, calls } = proofApi(answers);
  return { proof: settle(waitForControllers(api, signal), 500), calls };
};

test("the proof reads Secrets, waits for both controllers, and removes its namespace", async () => {
  const { proof, calls } = prove();
  expect(await proof).toBeUndefined();
  expect(calls).toEqual([
    ...["listSecretForAllNamespaces", "createNamespace", "readNamespacedServiceAccount", "createNamespacedPod"],
    ...["readNamespacedPod", "deleteNamespace"],
  ]);
});

test("an API server that starts is asked again; an object that exists already was created", async () => {
  let count = 0;
  const { proof } = prove({
    createNamespace: () => {
      throw ++count === 1 ? new Error("connection reset") : httpError(409, "exists");
    },
  });
  expect(await proof).toBeUndefined();
  expect(count).toBe(2);
});

test("Secrets that cannot be decrypted are a failure", async () => {
  const failure = () => Promise.reject(httpError(500, "no matching prefix found"));
  await expect(prove({ listSecretForAllNamespaces: failure }).proof).rejects.toThrow(
    "the API server cannot read the Secrets with its encryption keys within 120 s: no matching prefix found",
  );
});

test("a controller that does not act is named, and the namespace is removed", async () => {
  const missing = () => Promise.reject(httpError(404, "not found"));
  const { proof, calls } = prove({ readNamespacedServiceAccount: missing });
  await expect(proof).rejects.toThrow("the controller manager does not create a service account within 120 s: not f");
  expect(calls.at(-1)).toBe("deleteNamespace");
});

test("a policy that refuses the pod is no failure: the proof says what it could not prove", async () => {
  const refuse = () => Promise.reject(httpError(403, 'admission webhook "v.example" denied the request'));
  const { proof, calls } = prove({ createNamespacedPod: refuse });
  expect(await proof).toBe('the API server does not create a pod: admission webhook "v.example" denied the request');
  expect(calls.at(-1)).toBe("deleteNamespace");
});

test("a webhook that answers late is waited for", async () => {
  let count = 0;
  const { proof, calls } = prove({
    createNamespace: () => {
      if (++count < 20) throw httpError(500, "failed calling webhook");
    },
  });
  expect(await proof).toBeUndefined();
  expect(calls).toContain("readNamespacedPod");
});

test("a request that never ends does not stop the proof", async () => {
  let count = 0;
  const { proof } = prove({
    createNamespace: () => (++count === 1 ? new Promise(() => undefined) : {}),
    deleteNamespace: () => new Promise(() => undefined),
  });
  expect(await proof).toBeUndefined();
  expect(count).toBe(2);
});

test("Ctrl-C ends a request that never ends", async () => {
  const abort = new AbortController();
  const { api } = proofApi({
    createNamespace: () => {
      abort.abort(new Error("stopped by the user"));
      return new Promise(() => undefined);
    },
  });
  const start = Date.now();
  await expect(settle(waitForControllers(api, abort.signal))).rejects.toThrow("stopped by the user");
  expect(Date.now() - start).toBeLessThan(1_000);
});

/** An API whose leases are renewed every 10 s by the nodes in `alive`. */
function leases(alive: readonly string[]): KubeApi {
  const read = async ({ metadata: { name } }: { metadata: { name: string } }) => {
    if (name === "gone") throw httpError(404, "not found");
    return { spec: { renewTime: alive.includes(name) ? Math.floor(Date.now() / 10_000) : 1 } };
  };
  return { objects: { read }, patience: 1 } as unknown as KubeApi;
}

test("kubelets report when their leases change, whatever their clocks say", async () => {
  await settle(waitForKubelets(leases(["a", "b"]), ["a", "b"], signal), 500);
});

test("kubelets that do not report are named", async () => {
  const waiting = settle(waitForKubelets(leases(["a"]), ["a", "b", "gone"], signal), 500);
  await expect(waiting).rejects.toThrow("proving the restored cluster failed: b, gone did not report within 120 s");
});

const serverOf = (readText: () => Promise<string>) =>
  waitForApiServer({ kube: { readText } } as never, new ScriptedMachine(() => undefined).remote, signal);

test("an API server is waited for until it is ready", async () => {
  let count = 0;
  await settle(serverOf(async () => (++count < 5 ? Promise.reject(new Error("HTTP 403")) : "ok")));
  expect(count).toBe(5);
});

test("an API server that does not become ready is an error with its answer", async () => {
  await expect(
    settle(
      serverOf(() => Promise.reject(new Error("HTTP 500"))),
      500,
    ),
  ).rejects.toThrow("starting the API server failed on m (10.0.0.1): it is not ready after 180 s: HTTP 500");
});
