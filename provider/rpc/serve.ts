import * as grpc from "@grpc/grpc-js";
import { PluginInfo, type PluginAttach } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as provider from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { isDeepStrictEqual } from "node:util";
import { messageOf } from "../../common/errors";
import { printable } from "../../common/printable";
import { invoke, type Calls } from "./calls";
import type { ProviderContext } from "../context/context";
import { Components } from "./construct";
import { EngineLog } from "./engine";
import type { DescribeChange } from "./pending-notes";
import type { Registry } from "./handler";
import { Operations } from "./operations";
import { assertReadableState, checkSettings } from "./state-version";
import { Tasks } from "./tasks";
import { decode, type Properties } from "./values";

export interface ServeOptions {
  /** Package schema, without the version. */
  schema: object;
  version: string;
  resources: Registry;
  calls: Calls;
  context: ProviderContext;
  /** Applies the configuration that the engine hands over. */
  configure(configuration: Properties): void;
  /** Describes planned changes in previews. */
  describeChange?: DescribeChange | undefined;
}

type Method = (request: never) => Promise<unknown>;

/** Serves Pulumi's ResourceProvider protocol on a loopback port, printed on stdout, until stdin ends. */
export async function serve(options: ServeOptions): Promise<void> {
  const server = new grpc.Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  server.addService(ResourceProviderService, implementation(options));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  process.stdout.write(`${port}\n`);
  // The engine keeps stdin open, so its end shows that the engine has ended, even by SIGKILL.
  process.stdin.on("end", () => process.exit(0)).resume();
}

function implementation(options: ServeOptions): grpc.UntypedServiceImplementation {
  const methods = { ...lifecycle(options) };
  const unimplemented: grpc.handleUnaryCall<unknown, unknown> = (_call, reply) =>
    reply({ code: grpc.status.UNIMPLEMENTED, details: "not implemented" });
  const names = Object.keys(ResourceProviderService);
  const served = names.map((name) => [name, methods[name] ? unary(methods[name]) : unimplemented]);
  return Object.fromEntries(served) as grpc.UntypedServiceImplementation;
}

function unary(method: Method): grpc.handleUnaryCall<never, unknown> {
  return (call, reply) => {
    method(call.request).then(
      (response) => reply(null, response),
      (error: unknown) =>
        reply(isStatus(error) ? error : { code: grpc.status.UNKNOWN, details: printable(messageOf(error)) }),
    );
  };
}

function isStatus(error: unknown): error is Partial<grpc.StatusObject> {
  return typeof error === "object" && error !== null && "code" in error && "details" in error;
}

/**
 * The engine (3.255) configures a provider with the settings of the previous run where this reports no difference, so
 * changed settings would have an effect only in the run after.
 */
export function diffConfig(request: provider.DiffRequest): provider.DiffResponse {
  const isSame = isDeepStrictEqual(decode(request.getOldInputs()), decode(request.getNews()));
  const { DIFF_NONE, DIFF_SOME } = provider.DiffResponse.DiffChanges;
  const response = new provider.DiffResponse();
  response.setChanges(isSame ? DIFF_NONE : DIFF_SOME);
  return response;
}

function lifecycle(options: ServeOptions): Record<string, Method> {
  const log = new EngineLog();
  const components = new Components(options.version);
  let engine = "";
  const tasks = new Tasks(log, options.context);
  const operations = new Operations(options.resources, tasks, options.describeChange);
  return {
    handshake: (request: provider.ProviderHandshakeRequest) => {
      engine = request.getEngineAddress();
      log.connect(engine);
      const response = new provider.ProviderHandshakeResponse();
      response.setAcceptSecrets(true);
      response.setAcceptOutputs(true); // Otherwise a list with one unknown value is unknown to a component.
      return Promise.resolve(response);
    },
    attach: (request: PluginAttach) => {
      tasks.resume();
      log.connect(request.getAddress());
      return Promise.resolve(new Empty());
    },
    getPluginInfo: () => {
      const info = new PluginInfo();
      info.setVersion(options.version);
      return Promise.resolve(info);
    },
    getSchema: () => {
      const response = new provider.GetSchemaResponse();
      response.setSchema(JSON.stringify({ ...options.schema, version: options.version }));
      return Promise.resolve(response);
    },
    checkConfig: async (request: provider.CheckRequest) => checkSettings(request),
    diffConfig: (request: provider.DiffRequest) => Promise.resolve(diffConfig(request)),
    configure: async (request: provider.ConfigureRequest) => {
      const settings = decode(request.getArgs());
      assertReadableState(settings); // a destroy or a refresh does not call checkConfig
      options.configure(settings);
      const response = new provider.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setAcceptoutputs(true);
      response.setSupportspreview(true);
      return response;
    },
    cancel: () => {
      tasks.cancel();
      return Promise.resolve(new Empty());
    },
    check: (request: provider.CheckRequest) => operations.check(request),
    diff: (request: provider.DiffRequest) => operations.diff(request),
    create: (request: provider.CreateRequest) => operations.create(request),
    update: (request: provider.UpdateRequest) => operations.update(request),
    read: (request: provider.ReadRequest) => operations.read(request),
    delete: (request: provider.DeleteRequest) => operations.delete(request),
    construct: (request: provider.ConstructRequest) => components.construct(engine, request),
    invoke: (request: provider.InvokeRequest) => invoke(options.calls, tasks, request),
  };
}
