import { expect, test } from "vitest";
import { forecastRemoval, parseMembers } from "../../../../provider/kubeadm/etcd-status";

const line = (id: string, name: string, learner = false) =>
  `${id}, ${name === "" ? "not started" : "started"}, ${name}, https://${id}:2380, https://${id}:2379, ${learner}\n`;
const output = (lines: string[], ...healthy: string[]) =>
  `${lines.join("")}--- health ---\n${healthy.map((id) => `https://${id}:2379 is healthy: took = 5ms\n`).join("")}` +
  "https://9:2379 is unhealthy: failed to commit proposal: context deadline exceeded\n";

const member = (name: string, isHealthy = true, isLearner = false) => ({ id: "a", name, isHealthy, isLearner });

test("members are read with their health; a member that has not started has no name", () => {
  expect(parseMembers(output([line("1a", "cp-1"), line("2b", "cp-2"), line("3c", "", true)], "1a"))).toEqual([
    { id: "1a", name: "cp-1", isHealthy: true, isLearner: false },
    { id: "2b", name: "cp-2", isHealthy: false, isLearner: false },
    { id: "3c", name: "", isHealthy: false, isLearner: true },
  ]);
});

test("an etcd that does not answer has no members", () => {
  expect(parseMembers("")).toBeUndefined();
  expect(parseMembers("--- health ---\n")).toBeUndefined();
});

test.each<[string, Parameters<typeof forecastRemoval>[0], string, string, boolean]>([
  ["a healthy one of three", ["a", "b", "c"].map((name) => member(name)), "c", "leaves 2 of 2", true],
  ["the dead one of three", [member("a"), member("b"), member("c", false)], "c", "leaves 2 of 2", true],
  ["a healthy one beside a dead one", [member("a"), member("b", false), member("c")], "c", "leaves 1 of 2", false],
  ["one of two", [member("a"), member("b")], "b", "leaves 1 of 1", true],
  ["one beside a learner, which has no vote", [member("a"), member("b"), member("", true, true)], "b", "1 of 1", true],
  [
    "one of five, one of which is dead",
    "abcd"
      .split("")
      .map((n) => member(n))
      .concat(member("e", false)),
    "a",
    "3 of 4",
    true,
  ],
])("the removal of %s", (_, members, name, text, isSafe) => {
  expect(forecastRemoval(members, name)).toMatchObject({ text: expect.stringContaining(text) as string, isSafe });
});
