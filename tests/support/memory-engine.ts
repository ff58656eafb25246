import type { Metadata } from "@grpc/grpc-js";
import * as provider from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Struct, type JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb";
import type { ProviderContext } from "../../provider/context/context";
import { EngineLog } from "../../provider/rpc/engine";
import type { Handler } from "../../provider/rpc/handler";
import { Operations } from "../../provider/rpc/operations";
import type { PlannedChange } from "../../provider/rpc/pending-notes";
import { Tasks } from "../../provider/rpc/tasks";

export type Json = Record<string, JavaScriptValue>;

/** A resource as the engine records it: secrets and unknown values as on the wire. */
export interface RecordedResource {
  id: string;
  inputs: Json;
  outputs: Json;
}

const { DIFF_NONE } = provider.DiffResponse.DiffChanges;

/** A protobuf message. */
interface Message {
  serializeBinary(): Uint8Array;
}

/**
 * Plays Pulumi's engine for one resource: checks, compares, creates, updates, replaces, refreshes and deletes it
 * through the provider's operations, and keeps its state between the calls. Only the provider's
 * own record shows that the last operation failed: the engine's mark ends with a refresh.
 */
export class MemoryEngine {
  /** Whether the resource has ever been recorded. */
  hasExisted = false;
  private recorded: RecordedResource | undefined;
  /** Responses of the provider, and the states in its errors. */
  readonly received: Message[] = [];
  /** Planned changes that the provider describes in previews. */
  readonly planned: PlannedChange[] = [];
  /** The tasks of the current run, to cancel them. */
  tasks: Tasks;

  constructor(
    private readonly handler: Handler,
    private readonly context: () => ProviderContext,
  ) {
    this.tasks = new Tasks(new EngineLog(), context());
  }

  get state(): RecordedResource | undefined {
    return this.recorded;
  }

  set state(state: RecordedResource | undefined) {
    this.recorded = state;
    this.hasExisted ||= state !== undefined;
  }

  get urn(): string {
    return `urn:pulumi:dev::kubewright::${this.handler.contract.type}::it`;
  }

  /** `pulumi up`. @returns which operations ran. @throws if one fails, after the state has been recorded */
  async up(program: Json): Promise<string[]> {
    const operations = this.start();
    const inputs = await this.check(operations, program);
    if (!this.state) return await this.create(operations, inputs);
    const diff = await this.diff(operations, this.state, inputs);
    if (diff.getChanges() === DIFF_NONE) return [];
    if (diff.getReplacesList().length === 0) return await this.update(operations, this.state, inputs);
    await this.remove(operations, this.state);
    return ["delete", ...(await this.create(operations, inputs))];
  }

  /** `pulumi preview`. */
  async preview(program: Json): Promise<void> {
    const operations = this.start();
    const inputs = await this.check(operations, program);
    if (this.state) await this.diff(operations, this.state, inputs);
    if (!this.state) return void this.noted(await operations.create(this.creation(inputs, true)));
    this.noted(await operations.update(this.change(this.state, inputs, true)));
  }

  /** `pulumi destroy`. */
  async destroy(): Promise<void> {
    if (this.state) await this.remove(this.start(), this.state);
  }

  /** `pulumi refresh`. */
  async refresh(): Promise<void> {
    if (!this.state) return;
    const request = this.request(new provider.ReadRequest());
    request.setId(this.state.id);
    request.setInputs(structOf(this.state.inputs));
    request.setProperties(structOf(this.state.outputs));
    const response = this.noted(await this.start().read(request));
    const outputs = jsonOf(response.getProperties());
    this.state = response.getId() ? { id: response.getId(), inputs: jsonOf(response.getInputs()), outputs } : undefined;
  }

  private start(): Operations {
    this.tasks = new Tasks(new EngineLog(), this.context());
    const registry = { [this.handler.contract.type]: this.handler };
    return new Operations(registry, this.tasks, (change) => {
      this.planned.push(change);
      return { disruptions: [], changes: [] };
    });
  }

  private request<R extends { setUrn(urn: string): void }>(request: R): R {
    request.setUrn(this.urn);
    return request;
  }

  private noted<M extends Message>(message: M): M {
    this.received.push(message);
    return message;
  }

  private async check(operations: Operations, program: Json): Promise<Json> {
    const request = this.request(new provider.CheckRequest());
    request.setNews(structOf(program));
    if (this.state) request.setOlds(structOf(this.state.inputs));
    const response = this.noted(await operations.check(request));
    const [failure] = response.getFailuresList();
    if (failure) throw new Error(`check: ${failure.getReason()}`);
    return jsonOf(response.getInputs());
  }

  private async diff(operations: Operations, old: RecordedResource, inputs: Json): Promise<provider.DiffResponse> {
    const request = this.request(new provider.DiffRequest());
    request.setId(old.id);
    request.setOldInputs(structOf(old.inputs));
    request.setOlds(structOf(old.outputs));
    request.setNews(structOf(inputs));
    return this.noted(await operations.diff(request));
  }

  private async create(operations: Operations, inputs: Json): Promise<string[]> {
    this.state = undefined;
    const request = this.creation(inputs);
    const response = this.noted(await operations.create(request).catch((error: unknown) => this.record(error)));
    this.state = { id: response.getId(), inputs, outputs: jsonOf(response.getProperties()) };
    return ["create"];
  }

  private async update(operations: Operations, old: RecordedResource, inputs: Json): Promise<string[]> {
    const request = this.change(old, inputs);
    const response = this.noted(await operations.update(request).catch((error: unknown) => this.record(error)));
    this.state = { id: old.id, inputs, outputs: jsonOf(response.getProperties()) };
    return ["update"];
  }

  private creation(inputs: Json, isPreview = false): provider.CreateRequest {
    const request = this.request(new provider.CreateRequest());
    request.setProperties(structOf(inputs));
    request.setPreview(isPreview);
    return request;
  }

  private change(old: RecordedResource, inputs: Json, isPreview = false): provider.UpdateRequest {
    const request = this.request(new provider.UpdateRequest());
    request.setId(old.id);
    request.setOldInputs(structOf(old.inputs));
    request.setOlds(structOf(old.outputs));
    request.setNews(structOf(inputs));
    request.setPreview(isPreview);
    return request;
  }

  private async remove(operations: Operations, old: RecordedResource): Promise<void> {
    const request = this.request(new provider.DeleteRequest());
    request.setId(old.id);
    request.setOldInputs(structOf(old.inputs));
    request.setProperties(structOf(old.outputs));
    await operations.delete(request);
    this.state = undefined;
  }

  /** Records a partial failure as the engine does. Any other failure leaves the state as it was. */
  private record(error: unknown): never {
    const detail = partialFailureOf(error);
    if (detail) {
      this.noted(detail);
      const [inputs, outputs] = [detail.getInputs(), detail.getProperties()].map(jsonOf) as [Json, Json];
      this.state = { id: detail.getId(), inputs, outputs };
    }
    throw Object.assign(new Error((error as { details?: string }).details ?? String(error)), { cause: error });
  }
}

/** Returns the recorded resource that an error carries (pulumirpc.ErrorResourceInitFailed). */
function partialFailureOf(error: unknown): provider.ErrorResourceInitFailed | undefined {
  const { metadata } = error as { metadata?: Metadata };
  const [status] = metadata?.get("grpc-status-details-bin") ?? [];
  if (status === undefined) return undefined;
  const [detail] = Status.deserializeBinary(status as Buffer).getDetailsList();
  return provider.ErrorResourceInitFailed.deserializeBinary(detail?.getValue_asU8() ?? new Uint8Array());
}

function structOf(value: Json): Struct {
  return Struct.fromJavaScript(value);
}

function jsonOf(struct: Struct | undefined): Json {
  return struct?.toJavaScript() ?? {};
}
