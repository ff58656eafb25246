import * as provider from "@pulumi/pulumi/proto/provider_pb";
import type { z } from "zod";
import { failuresOf, findProblems } from "./check";
import type { Context } from "./handler";
import type { Tasks } from "./tasks";
import { normalize } from "./normalize";
import { SecretPaths, decode, encode } from "./values";

/** A function that a program may call. It only reads. */
export interface Call<I extends object = object, O extends object = object> {
  schema: z.ZodType<I>;
  secretOutputs?: readonly (keyof O & string)[];
  run(inputs: I, context: Context): Promise<O>;
}

/** Calls by token: `kubewright:kubeadm:kubeconfig`. */
export type Calls = Readonly<Record<string, Call>>;

/** Drops a call's own types, which the registry does not need. */
export function registerCall<I extends object, O extends object>(call: Call<I, O>): Call {
  return call as unknown as Call;
}

/** Answers pulumirpc.ResourceProvider's Invoke. Errors in the arguments name their paths. */
export async function invoke(
  calls: Calls,
  tasks: Tasks,
  request: provider.InvokeRequest,
): Promise<provider.InvokeResponse> {
  const call = calls[request.getTok()];
  if (!call) throw new Error(`this version of the provider has no function ${request.getTok()}; update kubewright`);
  const response = new provider.InvokeResponse();
  const inputs = normalize(call.schema, decode(request.getArgs()));
  const problems = await findProblems(call, inputs, tasks.provider);
  if (problems.length > 0) {
    response.setFailuresList(failuresOf(problems));
    return response;
  }
  const outputs = await tasks.run("invoke", request.getTok(), 0, (context) => call.run(inputs, context));
  response.setReturn(encode(outputs, new SecretPaths((call.secretOutputs ?? []).map((name) => [name]))));
  return response;
}
