import * as provider from "@pulumi/pulumi/proto/provider_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { expect, test } from "vitest";
import { STATE_VERSION, assertReadableState, checkSettings } from "../../../../provider/rpc/state-version";

function check(recorded: Record<string, string>, settings: Record<string, string>) {
  const request = new provider.CheckRequest();
  request.setOlds(Struct.fromJavaScript(recorded));
  request.setNews(Struct.fromJavaScript(settings));
  const response = checkSettings(request);
  const reasons = response.getFailuresList().map((failure) => failure.getReason());
  return { inputs: response.getInputs()?.toJavaScript(), reasons };
}

const current = String(STATE_VERSION);
const newer = String(STATE_VERSION + 1);

test.each<Record<string, string>>([{}, { stateVersion: current }])(
  "a state with the settings %o is read, and gets this version",
  (recorded) => {
    expect(check(recorded, { timeouts: "{}" })).toEqual({
      inputs: { timeouts: "{}", stateVersion: current },
      reasons: [],
    });
  },
);

test("a state of a newer version is refused with the next action", () => {
  const { reasons, inputs } = check({ stateVersion: newer }, {});
  expect(inputs).toBeUndefined();
  expect(reasons).toEqual([
    `reading the state failed: a newer version of Kubewright wrote the state of this stack (state version ${newer}); ` +
      `this one reads versions up to ${current}; use that version of Kubewright or a newer one, such as ` +
      "`npm install kubewright@latest`",
  ]);
});

test("the versions are compared as numbers", () => {
  expect(() => assertReadableState({ stateVersion: "10" })).toThrow("state version 10");
  expect(() => assertReadableState({ stateVersion: "0" })).not.toThrow();
});
