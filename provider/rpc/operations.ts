import * as provider from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { outputNames } from "../../contracts/contract";
import { optional } from "../../common/optional";
import { messageOf } from "../../common/errors";
import { printable } from "../../common/printable";
import { userCommand } from "../../common/user-command";
import { adoptResource, refuseChange } from "./adopt";
import { failuresOf, findProblems } from "./check";
import { changesBetween, isWithin, type Change } from "./diff";
import { diffResponse } from "./diff-response";
import type { Adopted, Context, Handler, Problem, Registry } from "./handler";
import { normalize } from "./normalize";
import { PendingNotes, type DescribeChange } from "./pending-notes";
import {
  UNFINISHED,
  decodeInputs,
  encodeInputs,
  encodeState,
  isUnfinished,
  possibleState,
  recordedState,
  unfinishedAfterRefresh,
  withInputSecrets,
  type State,
} from "./state";
import { rpcError } from "./status";
import { typeOf, type Tasks } from "./tasks";
import { SecretPaths, UNKNOWN, decode, hasUnknown, withoutUnknown, type Properties } from "./values";

/** The operations of pulumirpc.ResourceProvider on resources, for any handler. */
export class Operations {
  private readonly notes: PendingNotes;
  /** Resources that were read since their last Check or Diff: the next Diff is that of a refresh. */
  private readonly justRead = new Set<string>();

  constructor(
    private readonly registry: Registry,
    private readonly tasks: Tasks,
    describeChange?: DescribeChange,
  ) {
    this.notes = new PendingNotes(tasks, describeChange);
  }

  private handler(urn: string): Handler {
    const handler = this.registry[typeOf(urn)];
    if (!handler)
      throw new Error(`this version of the provider has no resource of type ${typeOf(urn)}; update kubewright`);
    return handler;
  }

  async check(request: provider.CheckRequest): Promise<provider.CheckResponse> {
    const handler = this.handler(request.getUrn());
    this.justRead.delete(request.getUrn());
    const { inputs, secrets } = decodeInputs(request.getNews());
    const normalized = normalize(handler.contract.inputs, inputs);
    const response = new provider.CheckResponse();
    const old = oldInputs(handler, request);
    const problems = await findProblems(handler, normalized, this.tasks.provider, old);
    response.setFailuresList(failuresOf([...problems, ...impossibleChanges(handler, normalized, old)]));
    response.setInputs(encodeInputs(handler, normalized, secrets));
    return response;
  }

  async diff(request: provider.DiffRequest): Promise<provider.DiffResponse> {
    const urn = request.getUrn();
    const handler = this.handler(urn);
    const secrets = new SecretPaths();
    const requested = normalize(handler.contract.inputs, decode(request.getNews(), secrets));
    const properties = decode(request.getOlds(), secrets);
    const old = recordedState(handler, properties, decode(request.getOldInputs(), secrets));
    const news = withRecordedRare(handler, requested, old);
    const isRefresh = this.justRead.delete(urn);
    const changes = await this.findChanges(handler, news, old, request.getIgnorechangesList(), isRefresh);
    if (changes.length === 0 && isUnfinished(properties)) changes.push({ path: UNFINISHED, kind: "delete" });
    const replacing = await this.findReplacing(urn, handler, news, old, changes);
    const shown = withInputSecrets(handler, old.inputs, withInputSecrets(handler, news, secrets));
    this.notes.record(urn, { current: old.inputs, desired: news, secrets: shown, changes, replacing });
    return diffResponse(changes, replacing, handler.deleteBeforeReplace ?? true);
  }

  private async findChanges(
    handler: Handler,
    news: Properties,
    old: State,
    ignored: readonly string[],
    isRefresh: boolean,
  ): Promise<Change[]> {
    const rules = [...(handler.ignore ?? []), ...ignored];
    const changes = changesBetween(old.inputs, news, handler.contract.inputs).filter(
      ({ path }) => !rules.some((rule) => isWithin(path, rule)),
    );
    const context = { ...this.tasks.provider, isRefresh };
    const extra = hasUnknown(news) ? [] : await handler.extraChanges?.(news, old, context);
    return [...changes, ...(extra ?? []).map((path): Change => ({ path, kind: "update" }))];
  }

  private async findReplacing(
    urn: string,
    handler: Handler,
    news: Properties,
    old: State,
    changes: readonly Change[],
  ): Promise<Change[]> {
    if (handler.isProtected?.(withoutUnknown(news), old.inputs, this.tasks.provider)) return [];
    const replacing = changes.filter(({ path }) => replaces(handler, path, news));
    const { isSame, update } = handler;
    if (replacing.length === 0) return replacing;
    if (update && isSame && !hasUnknown(news)) {
      const same = await this.tasks.run("diff", urn, 0, (context) => isSame.call(handler, news, old, context));
      if (same) return [];
    }
    handler.refuseReplacement?.(withoutUnknown(news), old);
    return replacing;
  }

  async create(request: provider.CreateRequest): Promise<provider.CreateResponse> {
    const urn = request.getUrn();
    const handler = this.handler(urn);
    const { inputs, secrets } = decodeInputs(request.getProperties());
    const response = new provider.CreateResponse();
    if (request.getPreview()) {
      await this.notes.send(urn);
      response.setProperties(encodeState(handler, { inputs, outputs: await predictOutputs(handler, inputs) }, secrets));
      return response;
    }
    try {
      const { id, outputs, isUnfinished } = await this.tasks.run("create", urn, request.getTimeout(), (context) =>
        this.createOrAdopt(handler, context, inputs),
      );
      response.setId(id);
      response.setProperties(encodeState(handler, { inputs, outputs }, secrets, isUnfinished || undefined));
      return response;
    } catch (error) {
      const stateOf = (outputs: object) => encodeState(handler, { inputs, outputs }, secrets, true);
      throw rpcError(error, stateOf, encodeInputs(handler, inputs, secrets));
    }
  }

  private async createOrAdopt(handler: Handler, context: Context, inputs: Properties): Promise<Adopted<Properties>> {
    if (this.tasks.provider.settings.adopting) return await adoptResource(handler, context, inputs);
    return await handler.create(context, inputs);
  }

  private assertMayChange(operation: string): void {
    if (this.tasks.provider.settings.adopting) refuseChange(operation);
  }

  async update(request: provider.UpdateRequest): Promise<provider.UpdateResponse> {
    const urn = request.getUrn();
    const handler = this.handler(urn);
    const { inputs, secrets } = decodeInputs(request.getNews());
    const old = possibleState(handler, decode(request.getOlds()), decode(request.getOldInputs()));
    const response = new provider.UpdateResponse();
    if (request.getPreview()) {
      await this.notes.send(urn);
      response.setProperties(
        encodeState(handler, { inputs, outputs: await predictOutputs(handler, inputs, old) }, secrets),
      );
      return response;
    }
    this.assertMayChange("update");
    const { update } = handler;
    if (!update) throw new Error(`${typeOf(urn)} cannot be changed in place`);
    try {
      const outputs = await this.tasks.run(
        "update",
        urn,
        request.getTimeout(),
        (context) => update.call(handler, context, request.getId(), inputs, old),
        { id: request.getId(), outputs: old.outputs },
      );
      response.setProperties(encodeState(handler, { inputs, outputs }, secrets));
      return response;
    } catch (error) {
      const stateOf = (outputs: object) => encodeState(handler, { inputs, outputs }, secrets, old.inputs);
      throw rpcError(error, stateOf, encodeInputs(handler, inputs, secrets));
    }
  }

  async read(request: provider.ReadRequest): Promise<provider.ReadResponse> {
    const urn = request.getUrn();
    const handler = this.handler(urn);
    const { inputs, secrets } = decodeInputs(request.getInputs());
    const properties = decode(request.getProperties(), secrets);
    refuseImport(urn, properties, inputs);
    const old = recordedState(handler, properties, inputs);
    const { read } = handler;
    const current = read
      ? await this.tasks.run("read", urn, 0, (context) => read.call(handler, context, request.getId(), old))
      : old;
    const response = new provider.ReadResponse();
    if (!current) return response; // An empty id reports that the resource is gone.
    this.justRead.add(urn);
    response.setId(request.getId());
    const unfinished = unfinishedAfterRefresh(handler, properties, old, current);
    response.setProperties(encodeState(handler, current, secrets, unfinished));
    response.setInputs(encodeInputs(handler, current.inputs, secrets));
    return response;
  }

  async delete(request: provider.DeleteRequest): Promise<Empty> {
    const handler = this.handler(request.getUrn());
    const old = possibleState(handler, decode(request.getProperties()), decode(request.getOldInputs()));
    this.assertMayChange("delete");
    const remove = handler.delete;
    if (remove) {
      await this.tasks
        .run("delete", request.getUrn(), request.getTimeout(), (context) =>
          remove.call(handler, context, request.getId(), old),
        )
        .catch((error: unknown) => Promise.reject(new Error(printable(messageOf(error)))));
    }
    return new Empty();
  }
}

/** Returns the last accepted inputs; undefined for a new resource. */
function oldInputs(handler: Handler, request: provider.CheckRequest): Properties | undefined {
  const old = normalize(handler.contract.inputs, decodeInputs(request.getOlds()).inputs);
  return Object.keys(old).length === 0 ? undefined : old;
}

/** A new resource has no impossible changes. */
function impossibleChanges(handler: Handler, inputs: Properties, old: Properties | undefined): Problem[] {
  return (old && handler.findImpossibleChanges?.(withoutUnknown(inputs), withoutUnknown(old))) ?? [];
}

/** Rejects `pulumi import` and `.get()`: they have the id only, which does not contain how to reach the machine. */
function refuseImport(urn: string, properties: Properties, inputs: Properties): void {
  if (Object.keys(properties).length > 0 || Object.keys(inputs).length > 0) return;
  throw new Error(
    `${typeOf(urn)} cannot be imported or read by its id: an id does not say how to reach the machine; ` +
      `\`${userCommand("adopt")}\` takes a whole cluster into a new state`,
  );
}

/**
 * Returns the outputs that a preview may show: those of a new resource are unknown unless the handler predicts them.
 */
async function predictOutputs(handler: Handler, inputs: Properties, old?: State): Promise<object> {
  const unknowns = Object.fromEntries(outputNames(handler.contract).map((name) => [name, UNKNOWN]));
  return { ...unknowns, ...(handler.predict ? await handler.predict(withoutUnknown(inputs), old) : old?.outputs) };
}

/**
 * Whether a change of the path needs a new resource. Before the engine deletes a resource, it calls Diff for
 * its dependents with a whole property unknown: `connection`, where the rule is `connection.host`. An unknown value may
 * be another host.
 */
function replaces(handler: Handler, path: string, news: Properties): boolean {
  const touches = (rule: string) => isWithin(path, rule) || (news[path] === UNKNOWN && isWithin(rule, path));
  return !handler.update || (handler.replaceOn ?? []).some(touches);
}

/** Returns the inputs with the recorded values of those that are rarely set, where a preview does not know them. */
function withRecordedRare({ rare = [] }: Handler, news: Properties, { inputs }: State): Properties {
  const unknown = rare.filter((name) => news[name] === UNKNOWN);
  return optional({ ...news, ...Object.fromEntries(unknown.map((name) => [name, inputs[name]])) });
}
