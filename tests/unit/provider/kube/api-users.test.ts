import { expect, test } from "vitest";
import { readAuditedUsers, readWriters } from "../../../../provider/kube/api-users";
import { MemoryMachine } from "../../../support/memory-machine";

const { signal } = new AbortController();
const managed = (manager: string, apiVersion: string) => ({ metadata: { managedFields: [{ manager, apiVersion }] } });

test("the writers of a deprecated API are the managers of its objects, in that version", async () => {
  const paths: string[] = [];
  const items = [managed("operator", "shop.example.com/v1beta3"), managed("kubectl", "shop.example.com/v1")];
  const kube = { readText: async (_: unknown, path: string) => (paths.push(path), JSON.stringify({ items })) };
  const writers = (resource: string) => readWriters(kube, {} as never, { resource }, signal);
  expect(await writers("widgets.v1beta3.shop.example.com")).toEqual(["operator"]);
  await writers("endpoints.v1");
  expect(paths).toEqual(["/apis/shop.example.com/v1beta3/widgets?limit=500", "/api/v1/endpoints?limit=500"]);
});

test("there are no writers where the API server does not answer", async () => {
  const kube = { readText: () => Promise.reject(new Error("HTTP 404")) };
  expect(await readWriters(kube, {} as never, { resource: "endpoints.v1" }, signal)).toEqual([]);
});

test("an audit log names the user agents, each with its latest request", async () => {
  const event = (userAgent: string, requestReceivedTimestamp: string) =>
    JSON.stringify({ userAgent, requestReceivedTimestamp, objectRef: { resource: "endpoints", apiVersion: "v1" } });
  const lines = [event("a/1", "10:00"), event("b/2", "10:01"), "not JSON", event("a/1", "10:02")];
  const machine = new MemoryMachine().on(/audit-log-path/, () => `${lines.join("\n")}\n`);
  expect(await readAuditedUsers(machine as never, signal)).toEqual(
    new Map([["endpoints.v1", ["b/2 at 10:01", "a/1 at 10:02"]]]),
  );
});
