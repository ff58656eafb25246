import * as provider from "@pulumi/pulumi/proto/provider_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { expect, test } from "vitest";
import { z } from "zod";
import {
  URN,
  UNKNOWN_STRING,
  checking,
  differing,
  operations,
  operationsOf,
  secret,
  thing,
  type ThingHandler,
  withInputs,
  type Json,
} from "./requests";

test("check names the path of an invalid input in the reason, and not as the property", async () => {
  const failures = (await operations().check(checking({ host: "a", port: 70000, wrong: 1 }))).getFailuresList();
  expect(failures.map((failure) => [failure.getProperty(), failure.getReason()])).toEqual([
    ["", "port: too high a port"],
    ["", "unknown properties: wrong"],
  ]);
});

test("check accepts unknown inputs", async () => {
  const failures = (
    await operations().check(checking({ host: UNKNOWN_STRING, port: UNKNOWN_STRING }))
  ).getFailuresList();
  expect(failures).toEqual([]);
});

test("diff distinguishes update, replacement and ignored properties", async () => {
  const diff = async (news: Json) =>
    (await operations().diff(differing({ host: "a", port: 1, login: "x" }, news))).toObject();
  expect(await diff({ host: "a", port: 1, login: "y" })).toMatchObject({
    changes: provider.DiffResponse.DiffChanges.DIFF_NONE,
  });
  expect(await diff({ host: "a", port: 2, login: "x" })).toMatchObject({ diffsList: ["port"], replacesList: [] });
  expect(await diff({ host: "b", port: 1, login: "x" })).toMatchObject({ diffsList: ["host"], replacesList: ["host"] });
});

test("an unknown property replaces when a property inside of it would", async () => {
  const nested = operationsOf({ ...thing(), replaceOn: ["host.name"] });
  const replaced = async (host: string | Json) =>
    (await nested.diff(differing({ host: { name: "a", key: 1 } }, { host }))).getReplacesList();
  expect(await replaced(UNKNOWN_STRING)).toEqual(["host"]);
  expect(await replaced({ name: "a", key: UNKNOWN_STRING })).toEqual([]);
});

test("a rare input that a preview does not know is unchanged, a known one is compared", async () => {
  const rare = operationsOf(thing({ ignore: [], rare: ["login"] }));
  const diffs = async (old: Json, login: string) =>
    (
      await rare.diff(differing({ host: "a", port: 1, ...(old as object) }, { host: "a", port: 1, login }))
    ).getDiffsList();
  expect(await diffs({}, UNKNOWN_STRING)).toEqual([]);
  expect(await diffs({ login: "x" }, UNKNOWN_STRING)).toEqual([]);
  expect(await diffs({}, "x")).toEqual(["login"]);
});

test("a resource whose handler cannot update is replaced", async () => {
  const { update: _, ...rest } = thing();
  const only = operationsOf(rest);
  const response = await only.diff(differing({ host: "a", port: 1 }, { host: "a", port: 2 }));
  expect(response.getReplacesList()).toEqual(["port"]);
});

test("at preview new outputs are unknown, and existing ones are kept", async () => {
  const create = new provider.CreateRequest();
  create.setUrn(URN);
  create.setPreview(true);
  create.setProperties(Struct.fromJavaScript({ host: "a", port: 1 }));
  expect((await operations().create(create)).getProperties()?.toJavaScript()).toEqual({
    host: "a",
    port: 1,
    made: UNKNOWN_STRING,
  });
  const update = new provider.UpdateRequest();
  update.setUrn(URN);
  update.setPreview(true);
  update.setOlds(Struct.fromJavaScript({ host: "a", port: 1, made: "x" }));
  update.setOldInputs(Struct.fromJavaScript({ host: "a", port: 1 }));
  update.setNews(Struct.fromJavaScript({ host: "a", port: 2 }));
  expect((await operations().update(update)).getProperties()?.toJavaScript()).toEqual({
    host: "a",
    port: 2,
    made: "x",
  });
});

test("a read that finds nothing reports the resource as gone", async () => {
  const request = new provider.ReadRequest();
  request.setUrn(URN);
  request.setId("1");
  request.setProperties(Struct.fromJavaScript({ host: "a", port: 1, made: "x" }));
  request.setInputs(Struct.fromJavaScript({ host: "a", port: 1 }));
  expect((await operations({ read: () => Promise.resolve(undefined) }).read(request)).getId()).toBe("");
});

function reading(properties: Json, inputs: Json) {
  const request = new provider.ReadRequest();
  request.setUrn(URN);
  request.setId("1");
  request.setProperties(Struct.fromJavaScript(properties));
  request.setInputs(Struct.fromJavaScript(inputs));
  return request;
}

test("a refresh keeps secrets encrypted, in the inputs and in the state", async () => {
  const inputs = { host: "a", port: 1, login: secret("hush") };
  const read: ThingHandler["read"] = (_context, _id, old) => Promise.resolve(old);
  const response = await operations({ read }).read(reading({ ...inputs, made: secret("key") }, inputs));
  expect(response.getInputs()?.toJavaScript()).toEqual(inputs);
  expect(response.getProperties()?.toJavaScript()).toEqual({ ...inputs, made: secret("key") });
});

test("an import, which has an id only, is refused", async () => {
  await expect(operations().read(reading({}, {}))).rejects.toThrow(/kubewright:test:Thing cannot be imported/);
});

test("check fills in defaults, and a default that recorded inputs lack is no change", async () => {
  const schema = z.strictObject({ host: z.string(), port: z.int().default(22), login: z.string().optional() });
  const defaulted = operations({ contract: withInputs(schema) });
  expect((await defaulted.check(checking({ host: "a", login: null }))).getInputs()?.toJavaScript()).toEqual({
    host: "a",
    port: 22,
  });
  const response = await defaulted.diff(differing({ host: "a" }, { host: "a", port: 22 }));
  expect(response.getChanges()).toBe(provider.DiffResponse.DiffChanges.DIFF_NONE);
});

test("check reports null in a list by its path", async () => {
  const schema = z.strictObject({ names: z.array(z.string("a name is text")) });
  const listed = operations({ contract: withInputs(schema) });
  const failures = (await listed.check(checking({ names: ["a", null] }))).getFailuresList();
  expect(failures.map((failure) => failure.getReason())).toEqual(["names[1]: a name is text"]);
});

test("check reports changes that are impossible on what exists, and none for a new resource", async () => {
  const existing = operations({
    findImpossibleChanges: (now, old) =>
      now.host === old.host ? [] : [{ path: "host", reason: `cannot change from ${old.host} to ${now.host}` }],
  });
  const reasons = async (old: Json | undefined, news: Json) => {
    const request = checking(news);
    if (old) request.setOlds(Struct.fromJavaScript(old));
    return (await existing.check(request)).getFailuresList().map((failure) => failure.getReason());
  };
  expect(await reasons({ host: "a", port: 1 }, { host: "b", port: 1 })).toEqual(["host: cannot change from a to b"]);
  expect(await reasons({ host: "a", port: 1 }, { host: "a", port: 2 })).toEqual([]);
  expect(await reasons(undefined, { host: "b", port: 1 })).toEqual([]);
});

test("a handler's own check gets the last accepted inputs, and none for a new resource", async () => {
  const accepted: unknown[] = [];
  const existing = operations({ check: (_now, _provider, old) => (accepted.push(old), []) });
  const request = checking({ host: "a", port: 2 });
  await existing.check(request);
  request.setOlds(Struct.fromJavaScript({ host: "a", port: 1 }));
  await existing.check(request);
  expect(accepted).toEqual([undefined, expect.objectContaining({ host: "a", port: 1 })]);
});

test("a protected resource is never replaced, also if a property is unknown", async () => {
  const kept = operations({ isProtected: () => true });
  for (const host of ["b", UNKNOWN_STRING])
    expect((await kept.diff(differing({ host: "a", port: 1 }, { host, port: 1 }))).getReplacesList()).toEqual([]);
});

test("a replacement that the resource refuses fails before anything is deleted, and no other change does", async () => {
  const refusing = operations({
    replaceOn: ["host"],
    refuseReplacement: (now, { inputs: old }) => {
      throw new Error(`${String(old.host)} is not replaced by ${String(now.host)}`);
    },
  });
  for (const [host, text] of [
    ["b", "b"],
    [UNKNOWN_STRING, "undefined"],
  ] as const)
    await expect(refusing.diff(differing({ host: "a", port: 1 }, { host, port: 1 }))).rejects.toThrow(
      `a is not replaced by ${text}`,
    );
  await refusing.diff(differing({ host: "a", port: 1 }, { host: "a", port: 2 }));
});
