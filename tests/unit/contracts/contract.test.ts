import { expect, test } from "vitest";
import { z } from "zod";
import { connectionSchema } from "../../../contracts/connection";
import { defineContract, outputNames } from "../../../contracts/contract";
import { DRAIN_DEFAULTS } from "../../../contracts/drain";
import { localFilePaths } from "../../../contracts/local-file";
import { secret, secretPaths } from "../../../contracts/secret";

test("a contract names its outputs in the order of their declaration", () => {
  const contract = defineContract({
    type: "kubewright:test:Thing",
    inputs: z.strictObject({ name: z.string() }),
    outputs: z.object({ address: z.string(), port: z.number() }),
  });
  expect(outputNames(contract)).toEqual(["address", "port"]);
});

test("the drain defaults lose no data", () => {
  expect(DRAIN_DEFAULTS).toEqual({
    timeout: 300,
    localData: "refuse",
    unmanaged: "refuse",
    force: false,
    onUnreachable: "prove",
  });
});

test("secret properties are found in objects, optional properties, lists, maps and jump hosts", () => {
  const schema = z.strictObject({
    connections: z.array(connectionSchema),
    keys: z.record(z.string(), z.strictObject({ pem: secret(z.string()) })).optional(),
    plain: z.string(),
  });
  const value = {
    connections: [{ host: "a", password: "x", jump: { host: "b", jump: { host: "c", privateKey: "y" } } }],
    keys: { ca: { pem: "z" } },
    plain: "w",
  };
  expect(secretPaths(schema, value)).toEqual([
    ["connections", "0", "password"],
    ["connections", "0", "jump", "jump", "privateKey"],
    ["keys", "ca", "pem"],
  ]);
});

test("local files are found in connections and their jump hosts, and their paths are not secret", () => {
  const jump = { host: "b", privateKeyPath: "/keys/b" };
  const value = { host: "a", privateKeyPath: "~/.ssh/id", privateKey: "x", jump };
  expect(localFilePaths(connectionSchema, value)).toEqual([["privateKeyPath"], ["jump", "privateKeyPath"]]);
  expect(secretPaths(connectionSchema, value)).toEqual([["privateKey"]]);
});

test("secret properties are found in alternatives, read-only and lazy schemas", () => {
  const key = z.strictObject({ pem: secret(z.string()) });
  const schema = z.strictObject({ one: z.union([z.string(), key]), two: key.readonly(), three: z.lazy(() => key) });
  expect(secretPaths(schema, { one: { pem: "x" }, two: { pem: "y" }, three: { pem: "z" } })).toEqual([
    ["one", "pem"],
    ["two", "pem"],
    ["three", "pem"],
  ]);
});

test("marking a schema as secret keeps its checks and leaves the original unmarked", () => {
  const plain = z.string().min(3, "too short");
  const marked = secret(plain);
  expect(secretPaths(plain, "abc")).toEqual([]);
  expect(marked.safeParse("ab").error?.issues[0]?.message).toBe("too short");
});
