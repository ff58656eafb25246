import { expect, test } from "vitest";
import { patienceIn } from "../../../../provider/rpc/provider-configuration";

test.each([
  ["as the engine hands it over", { timeouts: '{"init":600,"patience":2}' }, 2],
  ["as `pulumi config set` writes it", { timeouts: '{"patience":"3"}' }, 3],
  ["nothing", {}, 1],
  ["other timeouts", { timeouts: '{"init":600}' }, 1],
  ["what the program refuses", { timeouts: '{"patience":-1}' }, 1],
  ["no JSON", { timeouts: "{" }, 1],
])("timeouts.patience: %s", (_, configuration, expected) => {
  expect(patienceIn(configuration)).toBe(expected);
});
