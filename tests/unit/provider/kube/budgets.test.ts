import type { V1LabelSelector, V1PodDisruptionBudget } from "@kubernetes/client-node" with {
  "resolution-mode": "import",
};
import { describe, expect, test } from "vitest";
import {
  allowsNoDisruption,
  describeBudget,
  listBudgets,
  matchesSelector,
  matchingBudgets,
} from "../../../../provider/kube/budgets";
import { MemoryApi } from "../../../support/memory-api";

const expression = (operator: string, values?: string[]): V1LabelSelector => ({
  matchExpressions: [{ key: "tier", operator, ...(values ? { values } : {}) }],
});

describe("a label selector", () => {
  const labels = { app: "web", tier: "front" };
  test.each<[string, V1LabelSelector | undefined, boolean]>([
    ["absent", undefined, false],
    ["empty", {}, true],
    ["equal labels", { matchLabels: { app: "web" } }, true],
    ["a different label", { matchLabels: { app: "api" } }, false],
    ["one of two labels different", { matchLabels: { app: "web", tier: "back" } }, false],
    ["In", expression("In", ["front", "back"]), true],
    ["In other values", expression("In", ["back"]), false],
    ["NotIn", expression("NotIn", ["front"]), false],
    ["NotIn other values", expression("NotIn", ["back"]), true],
    ["Exists", expression("Exists"), true],
    ["DoesNotExist", expression("DoesNotExist"), false],
    ["labels match, expression does not", { matchLabels: { app: "web" }, ...expression("DoesNotExist") }, false],
  ])("%s", (_, selector, expected) => expect(matchesSelector(selector, labels)).toBe(expected));

  test.each([
    ["In", false],
    ["NotIn", true],
    ["Exists", false],
    ["DoesNotExist", true],
  ])("%s, for an absent label", (operator, expected) =>
    expect(matchesSelector(expression(operator, ["front"]), {})).toBe(expected),
  );
});

const budget = (namespace: string, disruptionsAllowed?: number): V1PodDisruptionBudget => ({
  metadata: { namespace, name: "keep-web" },
  spec: { selector: { matchLabels: { app: "web" } } },
  ...(disruptionsAllowed === undefined
    ? {}
    : { status: { disruptionsAllowed, currentHealthy: 3, desiredHealthy: 2, expectedPods: 3 } }),
});

test("a budget counts pods of its own namespace only", () => {
  const pod = { metadata: { namespace: "shop", labels: { app: "web" } } };
  expect(matchingBudgets(pod, [budget("shop"), budget("other")])).toEqual([budget("shop")]);
});

test("a budget without status allows nothing", () => {
  expect([budget("shop"), budget("shop", 0), budget("shop", 1)].map(allowsNoDisruption)).toEqual([true, true, false]);
});

test("the description names the budget and its counts", () => {
  expect(describeBudget(budget("shop", 1))).toBe("PodDisruptionBudget shop/keep-web (3 healthy, 2 required)");
  expect(describeBudget(budget("shop"))).toBe("PodDisruptionBudget shop/keep-web");
});

test("budgets of all namespaces are listed", async () => {
  const memory = new MemoryApi();
  memory.budgets.set("shop/keep-web", budget("shop", 1));
  expect(await listBudgets(memory.api, new AbortController().signal)).toEqual([budget("shop", 1)]);
});
