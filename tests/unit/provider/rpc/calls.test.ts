import * as provider from "@pulumi/pulumi/proto/provider_pb";
import { expect, test } from "vitest";
import { z } from "zod";
import { defineContract } from "../../../../contracts/contract";
import { secret } from "../../../../contracts/secret";
import { invoke, registerCall } from "../../../../provider/rpc/calls";
import { createProviderContext } from "../../../../provider/context/context";
import { EngineLog } from "../../../../provider/rpc/engine";
import { Tasks } from "../../../../provider/rpc/tasks";
import { SecretPaths, decode, encode } from "../../../../provider/rpc/values";

const calls = {
  "test:say": registerCall({
    contract: defineContract({
      type: "kubewright:test:say",
      inputs: z.strictObject({ word: z.string("a word is text") }),
      outputs: z.object({ said: secret(z.string()) }),
    }),
    run: ({ word }) => Promise.resolve({ said: word.toUpperCase() }),
  }),
};

async function call(token: string, args: Record<string, unknown>): Promise<provider.InvokeResponse> {
  const request = new provider.InvokeRequest();
  request.setTok(token);
  request.setArgs(encode(args, new SecretPaths()));
  return await invoke(calls, new Tasks(new EngineLog(), createProviderContext()), request);
}

test("a call returns its outputs, secret ones as secrets", async () => {
  const secrets = new SecretPaths();
  const answer = decode((await call("test:say", { word: "hello" })).getReturn(), secrets);
  expect(answer).toEqual({ said: "HELLO" });
  expect(secrets.has(["said"])).toBe(true);
});

test("invalid arguments are reported by their paths, and the call does not run", async () => {
  const response = await call("test:say", { word: 7 });
  expect(response.getFailuresList().map((failure) => failure.getReason())).toEqual(["word: a word is text"]);
  expect(response.getReturn()).toBeUndefined();
});

test("an unknown function is named in the error", async () => {
  await expect(call("test:sing", {})).rejects.toThrow("no function test:sing");
});
