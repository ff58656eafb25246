import { fc } from "../../../support/fast-check";
import { describe, expect, test } from "vitest";
import { secretOutputNames, type Contract } from "../../../../contracts/contract";
import { allResources } from "../../../../provider/resources/all-resources";
import { register, type Handler } from "../../../../provider/rpc/handler";
import { testContext } from "../../../support/context";
import { SECRET_MARK, inputsOf, valuesOf } from "../../../support/contract-arbitrary";
import { MemoryEngine, type Json } from "../../../support/memory-engine";

const context = testContext();
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

/** A resource with that contract. Its create and update fail while `fails` returns true. */
function resourceOf(contract: Contract, outputs: Json, fails: () => boolean): Handler {
  const apply = async (begin: () => void) => {
    begin();
    if (fails()) throw new Error("disk full");
    return outputs;
  };
  return register({
    contract,
    create: async ({ begin }) => ({ id: "1", outputs: await apply(() => begin("1", outputs)) }),
    update: async ({ begin }) => await apply(() => begin("1", outputs)),
    read: async (_context, _id, old) => old,
  });
}

/** Texts of a message that contain a secret outside of a secret value. */
function plainSecrets(node: unknown): string[] {
  if (typeof node === "string") return node.includes(SECRET_MARK) ? [node] : [];
  if (typeof node !== "object" || node === null) return [];
  const { fieldsMap } = node as { fieldsMap?: [string, { stringValue?: string }][] };
  if (fieldsMap?.some(([key, value]) => key === SIGNATURE && value.stringValue === SECRET)) return [];
  return Object.values(node).flatMap(plainSecrets);
}

function countSecrets(node: unknown): number {
  return JSON.stringify(node).split(SECRET_MARK).length - 1;
}

/** Runs all operations, with failures, and returns what the provider has sent and planned. */
async function runOperations(contract: Contract, before: Json, after: Json, outputs: Json) {
  let fails = true;
  const resource = resourceOf(contract, outputs, () => fails);
  const engine = new MemoryEngine(resource, () => context);
  await engine.preview(before);
  await engine.up(before).catch(() => undefined);
  await engine.refresh();
  fails = false;
  await engine.up(before);
  await engine.preview(after);
  fails = true;
  await engine.up(after).catch(() => undefined);
  await engine.refresh();
  fails = false;
  await engine.up(after);
  await engine.refresh();
  return engine;
}

const contracts = allResources.map(({ contract }) => contract);

describe.each(contracts.map((contract) => [contract.type, contract] as const))("%s", (_type, contract) => {
  test("its secrets are in plain text in no response, although the program passes them so", async () => {
    const values = fc.tuple(inputsOf(contract), inputsOf(contract), valuesOf(contract.outputs));
    await fc.assert(
      fc.asyncProperty(values, async ([before, after, outputs]) => {
        const engine = await runOperations(contract, before as Json, after as Json, outputs as Json);
        const messages = engine.received.map((message) => (message as unknown as { toObject(): unknown }).toObject());
        expect(plainSecrets([messages, engine.planned])).toEqual([]);
        // The secrets are there, so that the test would find them.
        if (countSecrets([before, after, outputs]) > 0) expect(countSecrets(messages)).toBeGreaterThan(0);
      }),
      { numRuns: 3 },
    );
  });
});

test("at least one resource has secret inputs, and one has secret outputs", () => {
  const withSecrets = contracts.filter((contract) => secretOutputNames(contract).length > 0);
  expect(withSecrets.map(({ type }) => type)).toContain("kubewright:pki:Authority");
  expect(
    countSecrets(fc.sample(inputsOf(contracts.find(({ type }) => type === "kubewright:host:Files")!), 50)),
  ).toBeGreaterThan(0);
});
