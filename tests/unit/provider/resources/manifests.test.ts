import { beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { StepError } from "../../../../common/errors";
import { applyOrder, manifestsResource, projectOnto } from "../../../../provider/resources/manifests";
import { connectionTo } from "../../../support/connection";
import { testContext } from "../../../support/context";
import { settle, useFakeTime } from "../../../support/fake-time";
import { httpError } from "../../../support/memory-api";

vi.mock("node:timers/promises", () => vi.importActual("../../../support/fake-time"));
useFakeTime();
// A module that is loaded under fake timers would use up fake time.
beforeAll(async () => void (await import("@kubernetes/client-node")));

interface Stored {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
  [field: string]: unknown;
}

/** The generic object API, in memory. Workloads that are deleted stay for as long as `pods` is above 0 at a read. */
class Objects {
  readonly stored = new Map<string, Stored>();
  readonly calls: string[] = [];
  readonly options: unknown[][] = [];
  failure: Error | undefined;
  pods = 0;

  private begin(verb: string, { kind, metadata }: Stored): string {
    const key = `${kind} ${metadata.name}`;
    this.calls.push(`${verb} ${key}`);
    if (this.failure) throw this.failure;
    return key;
  }

  async patch(object: Stored, ...options: unknown[]): Promise<void> {
    const key = this.begin("patch", object);
    this.options.push(options);
    this.stored.set(key, { ...structuredClone(object), status: "set by a controller" });
  }

  async read(object: Stored): Promise<Stored> {
    const key = this.begin("read", object);
    const live = this.stored.get(key);
    if (live && this.deleting.has(key) && this.pods-- <= 0) this.stored.delete(key);
    if (!this.stored.has(key)) throw httpError(404, `${key} not found`);
    return structuredClone(live!);
  }

  private readonly deleting = new Set<string>();

  async delete(object: Stored, ...options: unknown[]): Promise<void> {
    const key = this.begin("delete", object);
    if (!this.stored.has(key)) throw httpError(404, `${key} not found`);
    if (options[4] === "Foreground") this.deleting.add(key);
    else this.stored.delete(key);
  }
}

const object = (kind: string, name: string, fields: object = {}): Stored => ({
  apiVersion: "v1",
  kind,
  metadata: { name, ...(kind === "Namespace" ? {} : { namespace: "demo" }) },
  ...fields,
});
const ADDON = {
  daemon: object("DaemonSet", "agent", { spec: { replicas: 1 } }),
  settings: object("ConfigMap", "agent", { data: { level: "info" } }),
  namespace: object("Namespace", "demo"),
};

let objects: Objects;
let warnings: string[];
beforeEach(() => {
  objects = new Objects();
  warnings = [];
});

function contextOf() {
  const context = testContext({ name: "addon", warn: (message) => void warnings.push(message) });
  context.kube.api = async () => ({ objects, patience: 1 }) as never;
  return context;
}
const inputsOf = (named: Record<string, Stored> = ADDON) => ({
  controlPlanes: [connectionTo({ host: "10.0.0.9" })],
  caCertHash: "sha256:1",
  objects: named,
});
const recorded = (named?: Record<string, Stored>) => ({ inputs: inputsOf(named), outputs: {} });
const create = () => settle(manifestsResource.create(contextOf(), inputsOf()));
const read = () => settle(manifestsResource.read!(contextOf(), "addon", recorded()));

describe("creating the objects", () => {
  test("applies namespaces first and workloads last, by server-side apply as the owner kubewright", async () => {
    expect(await create()).toEqual({ id: "addon", outputs: {} });
    expect(objects.calls).toEqual(["patch Namespace demo", "patch ConfigMap agent", "patch DaemonSet agent"]);
    expect(objects.options[0]).toEqual([undefined, undefined, "kubewright", true, "application/apply-patch+yaml"]);
  });

  test("fails with the object that the API server refuses", async () => {
    objects.failure = httpError(422, "spec.replicas is invalid");
    await expect(create()).rejects.toThrow("applying Namespace demo failed: spec.replicas is invalid");
  });

  test("repeats a request while the API server restarts", async () => {
    objects.failure = httpError(503, "starting");
    setTimeout(() => (objects.failure = undefined), 2_000);
    await create();
    expect(objects.stored.size).toBe(3);
  });
});

describe("a refresh", () => {
  beforeEach(async () => void (await create()));

  test("finds no drift in fields that others set", async () => {
    expect(await read()).toEqual(recorded());
  });

  test("reads a changed field and a deleted object as drift", async () => {
    objects.stored.get("ConfigMap agent")!.data = { level: "debug", added: "manually" };
    objects.stored.delete("DaemonSet agent");
    const { settings, namespace } = ADDON;
    expect(await read()).toEqual(recorded({ settings: { ...settings, data: { level: "debug" } }, namespace }));
  });

  test("finds that all objects are gone", async () => {
    objects.stored.clear();
    expect(await read()).toBeUndefined();
  });

  test("keeps the recorded state when no control plane answers, with a warning", async () => {
    const context = contextOf();
    context.kube.api = () => Promise.reject(new StepError({ step: "connecting", cause: "connect ETIMEDOUT" }));
    expect(await manifestsResource.read!(context, "addon", recorded())).toEqual(recorded());
    expect(warnings).toEqual([expect.stringMatching(/^not read, its last known state is kept: .*connect ETIMEDOUT/)]);
  });
});

describe("removing objects", () => {
  beforeEach(async () => {
    await create();
    objects.calls.length = 0;
  });

  test("an update deletes those that the configuration no longer has, before it applies the others", async () => {
    const { settings, namespace } = ADDON;
    await settle(manifestsResource.update!(contextOf(), "addon", inputsOf({ settings, namespace }), recorded()));
    expect([...objects.stored.keys()].sort()).toEqual(["ConfigMap agent", "Namespace demo"]);
    expect(objects.calls.at(0)).toBe("delete DaemonSet agent");
    expect(objects.calls.filter((call) => call.startsWith("delete"))).toHaveLength(1);
  });

  test("a delete removes workloads first, and waits for their pods", async () => {
    objects.pods = 3;
    await settle(manifestsResource.delete!(contextOf(), "addon", recorded()));
    expect(objects.calls).toEqual([
      "delete DaemonSet agent",
      ...Array.from({ length: 4 }, () => "read DaemonSet agent"),
      "delete ConfigMap agent",
      "delete Namespace demo",
    ]);
    expect(objects.stored.size).toBe(0);
  });

  test("a delete fails when the pods do not end, and leaves what they need", async () => {
    objects.pods = Infinity;
    await expect(settle(manifestsResource.delete!(contextOf(), "addon", recorded()))).rejects.toThrow(
      /deleting DaemonSet demo\/agent failed: its pods still exist after 90 s; check that the controller manager runs/,
    );
    expect(objects.stored.has("ConfigMap agent")).toBe(true);
  });

  test("a delete succeeds when the objects are already gone", async () => {
    objects.stored.clear();
    await settle(manifestsResource.delete!(contextOf(), "addon", recorded()));
    expect(objects.stored.size).toBe(0);
  });
});

test("a kind without a stage of its own is applied last", () => {
  const [custom, role, definition] = ["Widget", "Role", "CustomResourceDefinition"].map((kind) => object(kind, "x"));
  expect(applyOrder([custom!, role!, definition!])).toEqual([[definition], [role], [custom]]);
});

test.each([
  ["lists of the same length, item by item", [{ a: 1 }], [{ a: 2, b: 3 }], [{ a: 2 }]],
  ["a list of another length as a whole", [{ a: 1 }], [{ a: 1, b: 2 }, { a: 3 }], [{ a: 1, b: 2 }, { a: 3 }]],
  ["a field that is gone as absent", { a: 1, b: 2 }, { a: 1 }, { a: 1 }],
  ["a value of another type as it is", { a: {} }, { a: "text" }, { a: "text" }],
])("drift compares %s", (_, configured, live, expected) => {
  expect(projectOnto(configured, live)).toStrictEqual(expected);
});
