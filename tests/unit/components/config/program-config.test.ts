import { expect, test } from "vitest";
import { configOf, sectionsOf } from "../../../../components/config/program-config";

test("only the project's own keys are its configuration", () => {
  expect(sectionsOf("kubewright", { "kubewright:workers": "{}", "kubewrights:x": "1", "aws:region": "x" })).toEqual({
    workers: "{}",
  });
});

test("sections are read as Pulumi stores them", () => {
  expect(configOf({ workers: '{"count":3}', source: "modules" })).toMatchObject({
    workers: { count: 3 },
    source: "modules",
  });
});

test("a section that nobody knows is refused, and not passed over: a typing error would change nothing, and say so nowhere", () => {
  expect(() => configOf({ workrs: '{"count":3}' })).toThrow("workrs: is not a known property; did you mean workers?");
});
