import { expect, test } from "vitest";
import { ignoreNotFound, isTransient, readWithCause, reasonOf, statusOf } from "../../../../provider/kube/errors";
import { httpError } from "../../../support/memory-api";

const RBAC_REFUSAL =
  'pods is forbidden: User "kubernetes-admin" cannot list resource "pods" in API group "" at the cluster scope';

test.each<[string, unknown, boolean]>([
  ["a broken connection", new Error("socket hang up"), true],
  ["429 Too Many Requests", httpError(429, "slow down"), true],
  ["500 Internal Server Error", httpError(500, "etcdserver: leader changed"), true],
  ["503 Service Unavailable", httpError(503, "not ready"), true],
  ["403 of an administrator, before the roles are loaded", httpError(403, RBAC_REFUSAL), true],
  ["403 of an admission plugin", httpError(403, 'pods "web" is forbidden: violates PodSecurity "restricted"'), false],
  ["404 Not Found", httpError(404, "not found"), false],
  ["409 Conflict", httpError(409, "the object has been modified"), false],
  ["499, the last client error", httpError(499, "client closed request"), false],
])("another attempt after %s: %s", (_, error, expected) => {
  expect(isTransient(error)).toBe(expected);
});

test("the reason is the message of the Status object", () => {
  expect(reasonOf(httpError(409, "the object has been modified"))).toBe("the object has been modified");
  expect(reasonOf({ code: 502, body: "<html>" })).toBe("HTTP 502");
  expect(reasonOf({ code: 422, body: { message: "invalid" } })).toBe("invalid");
  expect(reasonOf(new Error("socket hang up"))).toBe("socket hang up");
  expect(reasonOf("text")).toBe("text");
});

test("the status is undefined without a response", () => {
  expect(statusOf(httpError(404, ""))).toBe(404);
  expect(statusOf(Object.assign(new Error(), { code: "ECONNRESET" }))).toBeUndefined();
  expect(statusOf(undefined)).toBeUndefined();
});

test("404 becomes undefined; other errors are thrown", async () => {
  expect(await ignoreNotFound(Promise.reject(httpError(404, "not found")))).toBeUndefined();
  await expect(ignoreNotFound(Promise.reject(httpError(403, "forbidden")))).rejects.toThrow("forbidden");
});

test("a wait reports the object's state, its absence, or that the API server does not answer", async () => {
  const describe = (state?: string) => state ?? "there is no node";
  expect(await readWithCause(Promise.resolve("not Ready"), describe)).toEqual({
    answer: "not Ready",
    cause: "not Ready",
  });
  expect(await readWithCause(Promise.reject(httpError(404, "not found")), describe)).toEqual({
    cause: "there is no node",
  });
  expect(await readWithCause(Promise.reject(new Error("connect EHOSTUNREACH")), describe)).toEqual({
    cause: "the API server does not answer: connect EHOSTUNREACH",
  });
});
