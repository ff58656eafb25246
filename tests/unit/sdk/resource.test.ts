import * as pulumi from "@pulumi/pulumi";
import { beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { defineContract } from "../../../contracts/contract";
import { resourceClass } from "../../../sdk/resource";

const contract = defineContract({
  type: "kubewright:test:Thing",
  inputs: z.strictObject({ name: z.string(), size: z.number().default(3) }),
  outputs: z.object({ address: z.string() }),
});

/** A resource of this test alone. */
class Thing extends resourceClass(contract) {}

const registered: { type: string; inputs: Record<string, unknown> }[] = [];

beforeEach(async () => {
  registered.length = 0;
  await pulumi.runtime.setMocks({
    call: () => ({}),
    newResource({ type, name, inputs }) {
      registered.push({ type, inputs: inputs as Record<string, unknown> });
      return { id: name, state: { ...inputs, address: "10.0.0.1" } as Record<string, unknown> };
    },
  });
});

function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((done) => void output.apply((value) => done(value)));
}

test("a resource registers the contract's type and arguments, and takes its outputs from the engine", async () => {
  const thing = new Thing("one", { name: "a" });
  expect(await valueOf(thing.address)).toBe("10.0.0.1");
  expect(await valueOf(thing.name)).toBe("a");
  expect(registered).toEqual([{ type: "kubewright:test:Thing", inputs: { name: "a" } }]);
});

test("arguments may be outputs at any depth", async () => {
  const thing = new Thing("one", { name: pulumi.output("b") });
  expect(await valueOf(thing.name)).toBe("b");
});
