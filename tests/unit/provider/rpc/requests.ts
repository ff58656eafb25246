import * as provider from "@pulumi/pulumi/proto/provider_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { z } from "zod";
import { type Contract, defineContract } from "../../../../contracts/contract";
import { createProviderContext } from "../../../../provider/context/context";
import { EngineLog } from "../../../../provider/rpc/engine";
import { register, type Handler } from "../../../../provider/rpc/handler";
import { Operations } from "../../../../provider/rpc/operations";
import type { DescribeChange } from "../../../../provider/rpc/pending-notes";
import { Tasks } from "../../../../provider/rpc/tasks";

export const URN = "urn:pulumi:dev::kubewright::a$kubewright:test:Thing::it";
export const SIGNATURE = "4dabf18193072939515e22adb298388d";
export const secret = (value: string) => ({ [SIGNATURE]: "1b47061264138c4ac30d75fd1eb44270", value });
export const UNKNOWN_STRING = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const inputs = z.strictObject({
  host: z.string(),
  port: z.int().max(65535, "too high a port"),
  login: z.string().optional(),
});
const outputs = z.object({ made: z.string() });
type ThingContract = Contract<typeof inputs, typeof outputs>;

/** The contract of the resource under test. */
export const contract: ThingContract = defineContract({ type: "kubewright:test:Thing", inputs, outputs });

/** The same contract with other inputs. */
export function withInputs(schema: z.ZodObject): ThingContract {
  return { ...contract, inputs: schema as unknown as typeof inputs };
}

export type ThingHandler = Handler<ThingContract>;

export function thing(parts: Partial<ThingHandler> = {}): ThingHandler {
  return {
    contract,
    replaceOn: ["host"],
    ignore: ["login"],
    create: () => Promise.resolve({ id: "1", outputs: { made: "new" } }),
    update: () => Promise.resolve({ made: "changed" }),
    ...parts,
  };
}

export function operations(parts: Partial<ThingHandler> = {}, describe?: DescribeChange) {
  return operationsOf(thing(parts), describe);
}

export function operationsOf(handler: ThingHandler, describe?: DescribeChange) {
  return new Operations(
    { "kubewright:test:Thing": register(handler) },
    new Tasks(new EngineLog(), createProviderContext()),
    describe,
  );
}

export type Json = Parameters<typeof Struct.fromJavaScript>[0];

export function checking(news: Json) {
  const request = new provider.CheckRequest();
  request.setUrn(URN);
  request.setNews(Struct.fromJavaScript(news));
  return request;
}

export function differing(old: Json, news: Json) {
  const request = new provider.DiffRequest();
  request.setUrn(URN);
  request.setOlds(Struct.fromJavaScript({ ...old, made: "x" }));
  request.setOldInputs(Struct.fromJavaScript(old));
  request.setNews(Struct.fromJavaScript(news));
  return request;
}
