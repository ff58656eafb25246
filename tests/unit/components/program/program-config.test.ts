import { expect, test } from "vitest";
import { configOf, sectionsOf } from "../../../../components/program/program-config";

test("reads only the project's own keys", () => {
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

test("refuses an unknown section, because a typing error would otherwise go unnoticed", () => {
  expect(() => configOf({ workrs: '{"count":3}' })).toThrow("workrs: is not a known property; did you mean workers?");
});
