import * as provider from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { messageOf } from "../../common/errors";
import { printable } from "../../common/printable";
import { failuresOf, problemsOf } from "./check";
import { changesBetween, isWithin, type Change } from "./diff";
import { Foreseen, type Foretell } from "./pending-notes";
import type { Handler, Recorded, Registry } from "./handler";
import { rpcError } from "./status";
import { typeOf, type Tasks } from "./tasks";
import { SecretPaths, UNKNOWN, decode, encode, hasUnknown, known, type Properties } from "./values";

type Old = Recorded<Properties, object>;

/** The operations of pulumirpc.ResourceProvider on resources, for any handler. */
export class Operations {
  private readonly foreseen: Foreseen;

  constructor(
    private readonly registry: Registry,
    private readonly tasks: Tasks,
    foretell?: Foretell,
  ) {
    this.foreseen = new Foreseen(tasks, foretell);
  }

  private handler(urn: string): Handler {
    const handler = this.registry[typeOf(urn)];
    if (!handler)
      throw new Error(`this version of the provider has no resource of type ${typeOf(urn)}; update kubewright`);
    return handler;
  }

  async check(request: provider.CheckRequest): Promise<provider.CheckResponse> {
    const secrets = new SecretPaths();
    const news = decode(request.getNews(), secrets);
    const problems = await problemsOf(this.handler(request.getUrn()), news, this.tasks.provider);
    const response = new provider.CheckResponse();
    response.setInputs(encode(news, secrets));
    response.setFailuresList(failuresOf(problems));
    return response;
  }

  async diff(request: provider.DiffRequest): Promise<provider.DiffResponse> {
    const handler = this.handler(request.getUrn());
    const secrets = new SecretPaths();
    const news = decode(request.getNews(), secrets);
    const old = recorded(handler, decode(request.getOlds(), secrets), decode(request.getOldInputs(), secrets));
    const passes = (path: string) =>
      ![...(handler.ignore ?? []), ...request.getIgnorechangesList()].some((rule) => isWithin(path, rule));
    const changes = changesBetween(old.inputs, news).filter((change) => passes(change.path));
    const further = hasUnknown(news) ? [] : ((await handler.extraChanges?.(news, old, this.tasks.provider)) ?? []);
    changes.push(...further.map((path): Change => ({ path, kind: "update" })));
    let replacing = changes.filter(({ path }) => replaces(handler, path, news));
    if (
      handler.update &&
      replacing.length > 0 &&
      !hasUnknown(news) &&
      (await this.isSame(request.getUrn(), handler, news, old))
    )
      replacing = [];
    this.foreseen.note(request.getUrn(), { found: old.inputs, wanted: news, secrets, changes, replacing });
    return diffResponse(handler, changes, replacing);
  }

  private async isSame(urn: string, handler: Handler, news: Properties, old: Old): Promise<boolean> {
    const { isSame } = handler;
    return isSame ? await this.tasks.run("diff", urn, 0, (context) => isSame.call(handler, news, old, context)) : false;
  }

  async create(request: provider.CreateRequest): Promise<provider.CreateResponse> {
    const handler = this.handler(request.getUrn());
    const secrets = new SecretPaths();
    const inputs = decode(request.getProperties(), secrets);
    const response = new provider.CreateResponse();
    if (request.getPreview()) {
      await this.foreseen.say(request.getUrn());
      response.setProperties(encodeState(handler, inputs, await foretold(handler, inputs), secrets));
      return response;
    }
    try {
      const made = await this.tasks.run("create", request.getUrn(), request.getTimeout(), (context) =>
        handler.create(context, inputs),
      );
      response.setId(made.id);
      response.setProperties(encodeState(handler, inputs, made.outputs, secrets));
      return response;
    } catch (error) {
      throw rpcError(error, (outputs) => encodeState(handler, inputs, outputs, secrets), encode(inputs, secrets));
    }
  }

  async update(request: provider.UpdateRequest): Promise<provider.UpdateResponse> {
    const handler = this.handler(request.getUrn());
    const secrets = new SecretPaths();
    const inputs = decode(request.getNews(), secrets);
    const old = recorded(handler, decode(request.getOlds()), decode(request.getOldInputs()));
    const response = new provider.UpdateResponse();
    if (request.getPreview()) {
      await this.foreseen.say(request.getUrn());
      response.setProperties(encodeState(handler, inputs, await foretold(handler, inputs, old), secrets));
      return response;
    }
    const { update } = handler;
    if (!update) throw new Error(`${typeOf(request.getUrn())} cannot be changed in place`);
    try {
      const work = this.tasks.run("update", request.getUrn(), request.getTimeout(), (context) =>
        update.call(handler, context, request.getId(), inputs, old),
      );
      response.setProperties(encodeState(handler, inputs, await work, secrets));
      return response;
    } catch (error) {
      throw rpcError(error, (outputs) => encodeState(handler, inputs, outputs, secrets), encode(inputs, secrets));
    }
  }

  async read(request: provider.ReadRequest): Promise<provider.ReadResponse> {
    const handler = this.handler(request.getUrn());
    const response = new provider.ReadResponse();
    const secrets = new SecretPaths();
    const state = decode(request.getProperties());
    const old = recorded(handler, state, decode(request.getInputs(), secrets));
    const { read } = handler;
    const found = read
      ? await this.tasks.run("read", request.getUrn(), 0, (context) =>
          read.call(handler, context, request.getId(), old),
        )
      : old;
    if (!found) return response; // An empty id says that it is gone.
    response.setId(request.getId());
    response.setProperties(encodeState(handler, found.inputs, found.outputs, secrets));
    response.setInputs(encode(found.inputs, secrets));
    return response;
  }

  async delete(request: provider.DeleteRequest): Promise<Empty> {
    const handler = this.handler(request.getUrn());
    const old = recorded(handler, decode(request.getProperties()), decode(request.getOldInputs()));
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

function recorded(handler: Handler, state: Properties, oldInputs: Properties): Old {
  const outputs = Object.fromEntries(handler.outputs.map((name) => [name, state[name]]));
  const inputs = Object.keys(oldInputs).length > 0 ? oldInputs : without(state, handler.outputs);
  return { inputs, outputs };
}

function without(state: Properties, names: readonly string[]): Properties {
  return Object.fromEntries(Object.entries(state).filter(([name]) => !names.includes(name)));
}

function encodeState(handler: Handler, inputs: object, outputs: object, secrets: SecretPaths) {
  return encode({ ...inputs, ...outputs }, secrets.with(handler.secretOutputs ?? []));
}

/** What preview may promise of the outputs: a created resource's are unknown unless the handler can tell. */
async function foretold(handler: Handler, inputs: Properties, old?: Old): Promise<object> {
  const unknowns = Object.fromEntries(handler.outputs.map((name) => [name, UNKNOWN]));
  return { ...unknowns, ...(handler.predict ? await handler.predict(known(inputs), old) : old?.outputs) };
}

/**
 * Before it deletes a resource the engine asks which others go first, with a whole property unknown: `connection`, where the rule is
 * `connection.host`. What is unknown may be another host.
 */
function replaces(handler: Handler, path: string, news: Properties): boolean {
  const touches = (rule: string) => isWithin(path, rule) || (news[path] === UNKNOWN && isWithin(rule, path));
  return !handler.update || (handler.replaceOn ?? []).some(touches);
}

function diffResponse(
  handler: Handler,
  changes: readonly Change[],
  replacing: readonly Change[],
): provider.DiffResponse {
  const { DiffChanges } = provider.DiffResponse;
  const response = new provider.DiffResponse();
  response.setChanges(changes.length > 0 ? DiffChanges.DIFF_SOME : DiffChanges.DIFF_NONE);
  response.setHasdetaileddiff(true);
  for (const change of changes) {
    const difference = new provider.PropertyDiff();
    const name =
      `${change.kind.toUpperCase()}${replacing.includes(change) ? "_REPLACE" : ""}` as keyof typeof provider.PropertyDiff.Kind;
    difference.setKind(provider.PropertyDiff.Kind[name]);
    difference.setInputdiff(true);
    response.getDetaileddiffMap().set(change.path, difference);
  }
  const top = (path: string) => path.split(/[.[]/)[0] ?? path;
  const tops = (list: readonly Change[]) => [...new Set(list.map(({ path }) => top(path)))];
  response.setDiffsList(tops(changes));
  response.setReplacesList(tops(replacing));
  response.setDeletebeforereplace(handler.deleteBeforeReplace ?? true);
  return response;
}
