import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as provider from "@pulumi/pulumi/proto/provider_pb";
import { afterEach, expect, test, vi } from "vitest";
import { Components, loadComponents } from "../../../../provider/rpc/construct";

const server = new grpc.Server();
const folder = mkdtempSync(join(tmpdir(), "kubewright-construct-"));
afterEach(() => {
  server.forceShutdown();
  rmSync(folder, { recursive: true, force: true });
});

/** Serves Construct, and answers with the name of the component as its URN. */
async function serveNames(): Promise<number> {
  const refuse = (_: unknown, reply: (error: object) => void) => reply({ code: grpc.status.UNIMPLEMENTED });
  const construct = (
    { request }: { request: provider.ConstructRequest },
    reply: (error: object | null, response?: unknown) => void,
  ) => {
    if (request.getName() === "broken") return reply({ code: grpc.status.UNKNOWN, details: "it is broken" });
    const response = new provider.ConstructResponse();
    response.setUrn(request.getName());
    reply(null, response);
  };
  const names = Object.keys(ResourceProviderService);
  const methods = Object.fromEntries(names.map((name) => [name, name === "construct" ? construct : refuse]));
  server.addService(ResourceProviderService, methods);
  return await new Promise((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}

function request(name: string): provider.ConstructRequest {
  const construct = new provider.ConstructRequest();
  construct.setName(name);
  return construct;
}

test("requests are passed on, and the components are loaded once", async () => {
  const serve = vi.fn(serveNames);
  const load = vi.fn(() => ({ serve }));
  const components = new Components("1.2.3", load);
  expect(load).not.toHaveBeenCalled();
  const [one, two] = await Promise.all(["one", "two"].map((name) => components.construct("engine:1", request(name))));
  expect([one?.getUrn(), two?.getUrn()]).toEqual(["one", "two"]);
  expect(serve.mock.calls).toEqual([["engine:1", "1.2.3"]]);
  await expect(components.construct("engine:1", request("broken"))).rejects.toThrow("it is broken");
});

test("an installed package loads its compiled components", async () => {
  const file = join(folder, "dist", "components", "remote.js");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(join(folder, "package.json"), "{}");
  writeFileSync(file, "exports.serve = async () => 4711;");
  expect(await loadComponents(folder).serve("engine:1", "1.2.3")).toBe(4711);
});
