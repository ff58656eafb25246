import * as provider from "@pulumi/pulumi/proto/provider_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { expect, test } from "vitest";
import { z } from "zod";
import type { Metadata } from "@grpc/grpc-js";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { PartialFailure } from "../../../../provider/rpc/handler";
import { URN, operations, type ThingHandler, withInputs, type Json } from "./requests";

test("a partial failure carries the resource's state, so that the next run continues", async () => {
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

/** The id and state of a partial failure, as the engine records them. */
function recordedBy(error: unknown): { id: string; properties: Json; inputs: Json } {
  const [details] = (error as { metadata: Metadata }).metadata.get("grpc-status-details-bin");
  const [detail] = Status.deserializeBinary(details as Buffer).getDetailsList();
  const partial = provider.ErrorResourceInitFailed.deserializeBinary(detail?.getValue_asU8() ?? new Uint8Array());
  return {
    id: partial.getId(),
    properties: partial.getProperties()?.toJavaScript() as Json,
    inputs: partial.getInputs()?.toJavaScript() as Json,
  };
}

function creatingWith(inputs: Json) {
  const request = new provider.CreateRequest();
  request.setUrn(URN);
  request.setProperties(Struct.fromJavaScript(inputs));
  return request;
}

const failing = async (work: Promise<unknown>) =>
  await work.then(
    () => expect.fail("it succeeded"),
    (error: unknown) => error,
  );

test("a create that fails after its first side effect is in the state, unless it was undone", async () => {
  const create: ThingHandler["create"] = async (context, { port }) => {
    if (port !== 2) context.begin("7", { made: "half" });
    if (port === 3) context.undo();
    throw new Error("disk full");
  };
  const begun = await failing(operations({ create }).create(creatingWith({ host: "a", port: 1 })));
  expect(recordedBy(begun)).toEqual({
    id: "7",
    properties: { host: "a", port: 1, made: "half", __unfinished: true },
    inputs: { host: "a", port: 1 },
  });
  for (const port of [2, 3]) {
    const notBegun = await failing(operations({ create }).create(creatingWith({ host: "a", port })));
    expect(notBegun).toMatchObject({ details: "disk full" });
    expect(notBegun).not.toHaveProperty("metadata");
  }
});

test("an update that fails is recorded, and the next update and delete see what either may have left", async () => {
  const schema = z.strictObject({ host: z.string(), files: z.record(z.string(), z.string()) });
  const seen: unknown[] = [];
  let fails = true;
  const filed = operations({
    contract: withInputs(schema),
    update: async (context, _id, _inputs, old) => {
      seen.push(old.inputs);
      context.begin();
      if (fails) throw new Error("restart failed");
      return { made: "new" };
    },
    delete: async (_context, _id, old) => void seen.push(old.inputs),
  });
  const updatingTo = (old: Json, oldInputs: Json, news: Json) => {
    const request = new provider.UpdateRequest();
    request.setUrn(URN);
    request.setId("1");
    request.setOlds(Struct.fromJavaScript(old));
    request.setOldInputs(Struct.fromJavaScript(oldInputs));
    request.setNews(Struct.fromJavaScript(news));
    return filed.update(request);
  };
  const [a, b, c] = ["a", "b", "c"].map((name) => ({ host: "h", files: { [`/${name}`]: name } })) as unknown as [
    Json,
    Json,
    Json,
  ];
  const { properties, inputs } = recordedBy(await failing(updatingTo({ ...a, made: "old" }, a, b)));
  expect(inputs).toEqual(b);
  expect(properties).toMatchObject({ ...b, made: "old" });
  const back = await filed.diff(revertingFrom(properties, inputs, a));
  expect(back.getDiffsList()).toEqual(["files"]);
  fails = false;
  const done = await updatingTo(properties, inputs, c);
  expect(done.getProperties()?.toJavaScript()).toEqual({ ...c, made: "new" });
  const removal = new provider.DeleteRequest();
  removal.setUrn(URN);
  removal.setProperties(Struct.fromJavaScript(properties));
  removal.setOldInputs(Struct.fromJavaScript(inputs));
  await filed.delete(removal);
  const both = { host: "h", files: { "/a": "a", "/b": "b" } };
  expect(seen).toEqual([a, both, both]);
});

test("a failed operation is completed by the next update, also after a refresh and without any change", async () => {
  const create: ThingHandler["create"] = async (context) => {
    context.begin("7", { made: "half" });
    throw new Error("connection lost");
  };
  const read: ThingHandler["read"] = async (_context, _id, old) => old; // the machine does not answer
  const thing = operations({ create, read, update: async () => ({ made: "whole" }) });
  const { properties, inputs } = recordedBy(await failing(thing.create(creatingWith({ host: "a", port: 1 }))));

  const refresh = new provider.ReadRequest();
  refresh.setUrn(URN);
  refresh.setId("7");
  refresh.setProperties(Struct.fromJavaScript(properties));
  refresh.setInputs(Struct.fromJavaScript(inputs));
  const refreshed = (await thing.read(refresh)).getProperties()?.toJavaScript() as Json;
  const { DIFF_SOME, DIFF_NONE } = provider.DiffResponse.DiffChanges;
  expect((await thing.diff(revertingFrom(refreshed, inputs, inputs))).getChanges()).toBe(DIFF_SOME);

  const completion = new provider.UpdateRequest();
  completion.setUrn(URN);
  completion.setId("7");
  completion.setOlds(Struct.fromJavaScript(refreshed));
  completion.setOldInputs(Struct.fromJavaScript(inputs));
  completion.setNews(Struct.fromJavaScript(inputs));
  const completed = (await thing.update(completion)).getProperties()?.toJavaScript() as Json;
  expect(completed).toEqual({ host: "a", port: 1, made: "whole" });
  expect((await thing.diff(revertingFrom(completed, inputs, inputs))).getChanges()).toBe(DIFF_NONE);
});

function revertingFrom(olds: Json, oldInputs: Json, news: Json) {
  const request = new provider.DiffRequest();
  request.setUrn(URN);
  request.setOlds(Struct.fromJavaScript(olds));
  request.setOldInputs(Struct.fromJavaScript(oldInputs));
  request.setNews(Struct.fromJavaScript(news));
  return request;
}

const FILED = withInputs(z.strictObject({ files: z.record(z.string(), z.string()) }));
const filesOf = (...paths: string[]) => ({ files: Object.fromEntries(paths.map((path) => [path, "x"])) });

/** A resource of files whose refresh finds `found`, and the inputs that its update and delete get to see. */
function filed(found: ReturnType<typeof filesOf> = filesOf()) {
  const seen: unknown[] = [];
  const see = (old: { inputs: unknown }) => void seen.push(old.inputs);
  const resource = operations({
    contract: FILED,
    update: async (_context, _id, _inputs, old) => (see(old), { made: "whole" }),
    read: async (_context, _id, old) => (see(old), { inputs: found as never, outputs: old.outputs }),
    delete: async (_context, _id, old) => see(old),
  });
  return { resource, seen };
}

function requestOf<R extends provider.DeleteRequest | provider.ReadRequest>(request: R, olds: Json, inputs: Json): R {
  request.setUrn(URN);
  request.setId("7");
  request.setProperties(Struct.fromJavaScript(olds));
  if (request instanceof provider.ReadRequest) request.setInputs(Struct.fromJavaScript(inputs));
  else request.setOldInputs(Struct.fromJavaScript(inputs));
  return request;
}

test("a failed create in a state of an older version, which repeats the inputs, is completed and deleted", async () => {
  const { resource, seen } = filed();
  const olds = { ...filesOf("/a"), made: "half", __unfinished: filesOf("/a", "/b") };
  expect((await resource.diff(revertingFrom(olds, filesOf("/a"), filesOf("/a")))).getDiffsList()).not.toEqual([]);
  await resource.delete(requestOf(new provider.DeleteRequest(), olds, filesOf("/a")));
  expect(seen).toEqual([filesOf("/a", "/b")]);
});

test("after a refresh, an unfinished resource still knows the inputs that were not found", async () => {
  const { resource, seen } = filed(filesOf("/a"));
  const olds = { ...filesOf("/a", "/b"), made: "half", __unfinished: true };
  const refreshed = await resource.read(requestOf(new provider.ReadRequest(), olds, filesOf("/a", "/b")));
  expect(refreshed.getInputs()?.toJavaScript()).toEqual(filesOf("/a"));
  const properties = refreshed.getProperties()?.toJavaScript() as Json;
  await resource.delete(requestOf(new provider.DeleteRequest(), properties, filesOf("/a")));
  expect(seen.at(-1)).toEqual(filesOf("/a", "/b"));
});

test("the handler of a refresh knows whether the resource is unfinished", async () => {
  const unfinished: unknown[] = [];
  const read: ThingHandler["read"] = async (_context, _id, old) => (unfinished.push(old.unfinished), old);
  const inputs = { host: "a", port: 1 };
  const marks: Record<string, Json>[] = [{}, { __unfinished: true as never }, { __unfinished: inputs }];
  for (const mark of marks)
    await operations({ read }).read(requestOf(new provider.ReadRequest(), { ...inputs, made: "x", ...mark }, inputs));
  expect(unfinished).toEqual([false, true, true]);
});
