import * as provider from "@pulumi/pulumi/proto/provider_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { expect, test } from "vitest";
import { z } from "zod";
import { createProviderContext } from "../../../../provider/context";
import { EngineLog } from "../../../../provider/rpc/engine";
import type { Foresight, Foretell } from "../../../../provider/rpc/pending-notes";
import { PartialFailure, register, type Handler } from "../../../../provider/rpc/handler";
import { Operations } from "../../../../provider/rpc/operations";
import { Tasks } from "../../../../provider/rpc/tasks";

const URN = "urn:pulumi:dev::kubewright::a$kubewright:test:Thing::it";
const UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

interface Inputs {
  host: string;
  port: number;
  login?: string | undefined;
}
interface Outputs {
  made: string;
}

function thing(parts: Partial<Handler<Inputs, Outputs>> = {}): Handler<Inputs, Outputs> {
  return {
    schema: z.strictObject({
      host: z.string(),
      port: z.int().max(65535, "too high a port"),
      login: z.string().optional(),
    }),
    outputs: ["made"],
    replaceOn: ["host"],
    ignore: ["login"],
    create: () => Promise.resolve({ id: "1", outputs: { made: "new" } }),
    update: () => Promise.resolve({ made: "changed" }),
    ...parts,
  };
}

function operations(parts: Partial<Handler<Inputs, Outputs>> = {}) {
  return new Operations(
    { "kubewright:test:Thing": register(thing(parts)) },
    new Tasks(new EngineLog(), createProviderContext()),
  );
}

type Json = Parameters<typeof Struct.fromJavaScript>[0];

function checking(news: Json) {
  const request = new provider.CheckRequest();
  request.setUrn(URN);
  request.setNews(Struct.fromJavaScript(news));
  return request;
}

function differing(old: Json, news: Json) {
  const request = new provider.DiffRequest();
  request.setUrn(URN);
  request.setOlds(Struct.fromJavaScript({ ...old, made: "x" }));
  request.setOldInputs(Struct.fromJavaScript(old));
  request.setNews(Struct.fromJavaScript(news));
  return request;
}

test("refuses bad input with its path in the reason and no property, for the engine would print the value", async () => {
  const failures = (await operations().check(checking({ host: "a", port: 70000, wrong: 1 }))).getFailuresList();
  expect(failures.map((failure) => [failure.getProperty(), failure.getReason()])).toEqual([
    ["", "port: too high a port"],
    ["", "unknown properties: wrong"],
  ]);
});

test("does not judge what is not known yet", async () => {
  const failures = (
    await operations().check(checking({ host: UNKNOWN_STRING, port: UNKNOWN_STRING }))
  ).getFailuresList();
  expect(failures).toEqual([]);
});

test("tells update from replacement, and how we log in from what is there", async () => {
  const diff = async (news: Json) =>
    (await operations().diff(differing({ host: "a", port: 1, login: "x" }, news))).toObject();
  expect(await diff({ host: "a", port: 1, login: "y" })).toMatchObject({
    changes: provider.DiffResponse.DiffChanges.DIFF_NONE,
  });
  expect(await diff({ host: "a", port: 2, login: "x" })).toMatchObject({ diffsList: ["port"], replacesList: [] });
  expect(await diff({ host: "b", port: 1, login: "x" })).toMatchObject({ diffsList: ["host"], replacesList: ["host"] });
});

test("what holds a property that replaces, and is not known yet, may replace", async () => {
  const nested = new Operations(
    { "kubewright:test:Thing": register({ ...thing(), replaceOn: ["host.name"] }) },
    new Tasks(new EngineLog(), createProviderContext()),
  );
  const replaced = async (host: string | Json) =>
    (await nested.diff(differing({ host: { name: "a", key: 1 } }, { host }))).getReplacesList();
  expect(await replaced(UNKNOWN_STRING)).toEqual(["host"]);
  expect(await replaced({ name: "a", key: UNKNOWN_STRING })).toEqual([]);
});

test("a handler that cannot update is replaced", async () => {
  const { update: _, ...rest } = thing();
  const only = new Operations(
    { "kubewright:test:Thing": register(rest) },
    new Tasks(new EngineLog(), createProviderContext()),
  );
  const response = await only.diff(differing({ host: "a", port: 1 }, { host: "a", port: 2 }));
  expect(response.getReplacesList()).toEqual(["port"]);
});

test("a partial failure carries what was made, so that the next run resumes", async () => {
  const request = new provider.CreateRequest();
  request.setUrn(URN);
  request.setProperties(Struct.fromJavaScript({ host: "a", port: 1 }));
  const create = () => Promise.reject(new PartialFailure("disk full", "1", { made: "half" }));
  const error: unknown = await operations({ create })
    .create(request)
    .catch((reason: unknown) => reason);
  expect(error).toMatchObject({ details: "disk full" });
  expect(JSON.stringify((error as { metadata: { getMap(): object } }).metadata.getMap())).toContain(
    "grpc-status-details-bin",
  );
});

test("preview promises no output that does not exist yet, and keeps those that do", async () => {
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

test("a read that finds nothing says that the thing is gone", async () => {
  const request = new provider.ReadRequest();
  request.setUrn(URN);
  request.setId("1");
  request.setProperties(Struct.fromJavaScript({ host: "a", port: 1, made: "x" }));
  request.setInputs(Struct.fromJavaScript({ host: "a", port: 1 }));
  expect((await operations({ read: () => Promise.resolve(undefined) }).read(request)).getId()).toBe("");
});

test("cancelling aborts what is under way", async () => {
  const tasks = new Tasks(new EngineLog(), createProviderContext());
  const waiting = tasks.run(
    "create",
    URN,
    0,
    ({ signal }) => new Promise((_, fail) => signal.addEventListener("abort", () => fail(signal.reason as Error))),
  );
  tasks.cancel();
  await expect(waiting).rejects.toThrow("cancelled");
});

/** With the foresight that a preview is given words for. */
function foretelling(parts: Partial<Handler<Inputs, Outputs>> = {}) {
  const told: Foresight[] = [];
  const foretell: Foretell = (foresight) => {
    told.push(foresight);
    return { disruptions: [], changes: [] };
  };
  return {
    told,
    operations: new Operations(
      { "kubewright:test:Thing": register(thing(parts)) },
      new Tasks(new EngineLog(), createProviderContext()),
      foretell,
    ),
  };
}

function updating(preview: boolean) {
  const request = new provider.UpdateRequest();
  request.setUrn(URN);
  request.setPreview(preview);
  return request;
}

function creating() {
  const request = new provider.CreateRequest();
  request.setUrn(URN);
  request.setPreview(true);
  return request;
}

test("a preview of an update is told in words, once, and never with a secret in it", async () => {
  const { told, operations } = foretelling();
  const secret = { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value: "hush" };
  await operations.diff(differing({ host: "a", port: 1, login: "hush" }, { host: "a", port: 2, login: secret }));
  await operations.update(updating(true));
  await operations.update(updating(true));
  const login = "[secret]";
  expect(told).toEqual([
    {
      urn: URN,
      type: "kubewright:test:Thing",
      name: "it",
      replaced: false,
      found: { host: "a", port: 1, login },
      wanted: { host: "a", port: 2, login },
      paths: ["port"],
      replacing: [],
    },
  ]);
});

test("and so is that of a replacement, which the engine previews as a creation", async () => {
  const { told, operations } = foretelling();
  await operations.diff(differing({ host: "a", port: 1 }, { host: "b", port: 1 }));
  await operations.create(creating());
  expect(told).toEqual([expect.objectContaining({ replaced: true, paths: ["host"], replacing: ["host"] })]);
});

test("nothing is foretold where nothing changes, or in a run, or where the engine only asks what would go along", async () => {
  const { told, operations } = foretelling();
  await operations.diff(differing({ host: "a", port: 1 }, { host: "a", port: 1 }));
  await operations.update(updating(true));
  await operations.diff(differing({ host: "a", port: 1 }, { host: "a", port: 2 }));
  await operations.update(updating(false));
  await operations.diff(differing({ host: "a", port: 1 }, { host: UNKNOWN_STRING, port: 1 }));
  await operations.create(creating());
  expect(told).toEqual([]);
});
