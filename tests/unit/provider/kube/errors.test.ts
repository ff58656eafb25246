import { expect, test } from "vitest";
import { isTransient, readWithCause } from "../../../../provider/kube/errors";

const refused = (code: number, message: string) => ({ code, body: JSON.stringify({ kind: "Status", message }) });

test.each<[string, unknown, boolean]>([
  ["the connection broke", new Error("socket hang up"), true],
  ["too many requests", refused(429, "slow down"), true],
  ["it starts", refused(503, "not ready"), true],
  [
    "it has not read the roles yet",
    refused(
      403,
      'pods is forbidden: User "kubernetes-admin" cannot list resource "pods" in API group "" at the cluster scope',
    ),
    true,
  ],
  [
    "an admission plugin says no",
    refused(403, 'pods "web" is forbidden: violates PodSecurity "restricted:latest"'),
    false,
  ],
  ["it is not there", refused(404, "not found"), false],
  ["somebody else changed it", refused(409, "the object has been modified"), false],
])("worth another try: %s", (_, error, expected) => {
  expect(isTransient(error)).toBe(expected);
});

test("a wait says what it saw last, that the thing is missing, or that nobody answers", async () => {
  const found = (node?: string) => node ?? "there is none";
  expect(await readWithCause(Promise.resolve("not Ready"), found)).toEqual({ answer: "not Ready", cause: "not Ready" });
  expect(await readWithCause(Promise.reject(Object.assign(new Error(), refused(404, "not found"))), found)).toEqual({
    cause: "there is none",
  });
  expect(await readWithCause(Promise.reject(new Error("connect EHOSTUNREACH")), found)).toEqual({
    cause: "the API server does not answer: connect EHOSTUNREACH",
  });
});
