import * as provider from "@pulumi/pulumi/proto/provider_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { expect, test } from "vitest";
import { diffConfig } from "../../../../provider/rpc/serve";

const { DIFF_NONE, DIFF_SOME } = provider.DiffResponse.DiffChanges;
const abandoned = { recovery: '{"abandoned":["worker-1"]}' };

function changesOf(old: Record<string, string>, now: Record<string, string>): number {
  const request = new provider.DiffRequest();
  request.setOldInputs(Struct.fromJavaScript(old));
  request.setNews(Struct.fromJavaScript(now));
  return diffConfig(request).getChanges();
}

test("changed settings are a difference, so that the engine configures the provider with them", () => {
  expect(changesOf({}, abandoned)).toBe(DIFF_SOME);
  expect(changesOf(abandoned, { recovery: '{"abandoned":[]}' })).toBe(DIFF_SOME);
  expect(changesOf(abandoned, {})).toBe(DIFF_SOME);
});

test("the same settings are none", () => {
  expect(changesOf(abandoned, { ...abandoned })).toBe(DIFF_NONE);
});
