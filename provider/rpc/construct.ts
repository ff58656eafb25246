import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import type * as provider from "@pulumi/pulumi/proto/provider_pb";
import { projectRoot } from "../../common/project-root";

/** What this module uses of components/remote.ts. */
export interface ComponentServer {
  /** Starts to serve, and returns the port. */
  serve(engine: string, version: string): Promise<number>;
}

/**
 * Loads the components. They need the whole SDK, which takes longer to load than the provider to start, and programs in
 * TypeScript do not need them here.
 */
export function loadComponents(root = projectRoot()): ComponentServer {
  const require = createRequire(join(root, "package.json"));
  const isClone = existsSync(join(root, "components", "remote.ts"));
  if (isClone) require("tsx/cjs");
  return require(isClone ? "./components/remote.ts" : "./dist/components/remote.js") as ComponentServer;
}

/** Passes Construct on to the server of Pulumi's SDK, in this process. */
export class Components {
  private client: Promise<ResourceProviderClient> | undefined;

  constructor(
    private readonly version: string,
    private readonly load: () => ComponentServer = loadComponents,
  ) {}

  async construct(engine: string, request: provider.ConstructRequest): Promise<provider.ConstructResponse> {
    this.client ??= this.connect(engine);
    const client = await this.client;
    return await new Promise((resolve, reject) => {
      client.construct(request, (error, response) => (error ? reject(error) : resolve(response)));
    });
  }

  private async connect(engine: string): Promise<ResourceProviderClient> {
    const port = await this.load().serve(engine, this.version);
    const unlimited = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };
    return new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), unlimited);
  }
}
