import { expect, test, vi } from "vitest";
import { StepError } from "../../../../common/errors";
import { retryRequest } from "../../../../provider/kube/retry";
import { settle, useFakeTime } from "../../../support/fake-time";
import { httpError } from "../../../support/memory-api";

useFakeTime();

const signal = new AbortController().signal;

test("a request is repeated until it succeeds", async () => {
  let attempts = 0;
  const request = async () => {
    if (++attempts < 4) throw httpError(503, "starting");
    return "done";
  };
  expect(await settle(retryRequest({}, "listing pods", signal, request))).toBe("done");
});

test("a refusal is reported after one attempt, with the step", async () => {
  const request = vi.fn(() => Promise.reject(httpError(403, "denied by a webhook")));
  await expect(settle(retryRequest({}, "cordon", signal, request))).rejects.toThrow(
    "cordon failed: denied by a webhook",
  );
  expect(request).toHaveBeenCalledTimes(1);
});

test("a StepError is thrown as it is", async () => {
  const request = vi.fn(() => Promise.reject(new StepError({ step: "kubeadm join", cause: "x" })));
  await expect(settle(retryRequest({}, "cordon", signal, request))).rejects.toThrow("kubeadm join failed: x");
  expect(request).toHaveBeenCalledTimes(1);
});

test("attempts end after a minute, with the last reason", async () => {
  const begun = Date.now();
  const running = retryRequest({}, "cordon", signal, () => Promise.reject(httpError(503, "not ready")));
  await expect(settle(running)).rejects.toThrow("cordon failed: not ready");
  expect(Date.now() - begun).toBeGreaterThan(50_000);
  expect(Date.now() - begun).toBeLessThan(62_000);
});

test("an abort ends the attempts with its reason", async () => {
  const abort = new AbortController();
  const running = retryRequest({}, "cordon", abort.signal, () => Promise.reject(httpError(503, "not ready")));
  setTimeout(() => abort.abort(new Error("cancelled")), 3_000);
  await expect(settle(running)).rejects.toThrow("cancelled");
});

test("an API server whose certificate has ended is reported with the run that renews it", async () => {
  const running = retryRequest({}, "listing nodes", signal, () => Promise.reject(new Error("certificate has expired")));
  await expect(settle(running)).rejects.toThrow("certificate has expired; run `npm start` without --refresh");
});
