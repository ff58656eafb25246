import * as provider from "@pulumi/pulumi/proto/provider_pb";
import { type Contract, type Inputs, type Outputs, secretOutputNames } from "../../contracts/contract";
import { failuresOf, findProblems } from "./check";
import type { Context } from "./handler";
import type { Tasks } from "./tasks";
import { normalize } from "./normalize";
import { SecretPaths, decode, encode } from "./values";

/** A function that a program may call. It only reads. */
export interface Call<C extends Contract = Contract> {
  contract: C;
  run(inputs: Inputs<C>, context: Context): Promise<Outputs<C>>;
}

/** Calls by token: `kubewright:kubeadm:kubeconfig`. */
export type Calls = Readonly<Record<string, Call>>;

/** Indexes calls by the tokens of their contracts. */
export function callsOf(calls: readonly Call[]): Calls {
  return Object.fromEntries(calls.map((call) => [call.contract.type, call]));
}

/** Returns the call without its specific types, which the registry cannot express. */
export function registerCall<C extends Contract>(call: Call<C>): Call {
  return call;
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
  const inputs = normalize(call.contract.inputs, decode(request.getArgs()));
  const problems = await findProblems(call, inputs, tasks.provider);
  if (problems.length > 0) {
    response.setFailuresList(failuresOf(problems));
    return response;
  }
  const outputs = await tasks.run("invoke", request.getTok(), 0, (context) => call.run(inputs, context));
  response.setReturn(encode(outputs, new SecretPaths(secretOutputNames(call.contract).map((name) => [name]))));
  return response;
}
