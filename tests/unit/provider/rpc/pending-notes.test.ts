import * as provider from "@pulumi/pulumi/proto/provider_pb";
import { expect, test } from "vitest";
import type { DescribeChange, PlannedChange } from "../../../../provider/rpc/pending-notes";
import { URN, UNKNOWN_STRING, differing, operations, secret, type ThingHandler } from "./requests";

/** Operations that record the planned changes that they describe. */
function describing(parts: Partial<ThingHandler> = {}) {
  const described: PlannedChange[] = [];
  const describe: DescribeChange = (change) => {
    described.push(change);
    return { disruptions: [], changes: [] };
  };
  return {
    described,
    operations: operations(parts, describe),
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

test("the preview of an update is described once, without secrets", async () => {
  const { described, operations } = describing();
  await operations.diff(
    differing({ host: "a", port: 1, login: "hush" }, { host: "a", port: 2, login: secret("hush") }),
  );
  await operations.update(updating(true));
  await operations.update(updating(true));
  const login = "[secret]";
  expect(described).toEqual([
    {
      urn: URN,
      type: "kubewright:test:Thing",
      name: "it",
      replaced: false,
      current: { host: "a", port: 1, login },
      desired: { host: "a", port: 2, login },
      paths: ["port"],
      replacing: [],
    },
  ]);
});

test("the preview of a replacement, which the engine previews as a create, is described", async () => {
  const { described, operations } = describing();
  await operations.diff(differing({ host: "a", port: 1 }, { host: "b", port: 1 }));
  await operations.create(creating());
  expect(described).toEqual([expect.objectContaining({ replaced: true, paths: ["host"], replacing: ["host"] })]);
});

test("nothing is described without a change, in a run, or when the engine asks what is replaced together", async () => {
  const { described, operations } = describing();
  await operations.diff(differing({ host: "a", port: 1 }, { host: "a", port: 1 }));
  await operations.update(updating(true));
  await operations.diff(differing({ host: "a", port: 1 }, { host: "a", port: 2 }));
  await operations.update(updating(false));
  await operations.diff(differing({ host: "a", port: 1 }, { host: UNKNOWN_STRING, port: 1 }));
  await operations.create(creating());
  expect(described).toEqual([]);
});
