import { expect, test } from "vitest";
import { abandonAction, UnreachableMachines } from "../../../../provider/ssh/unreachable";
import { connectionTo } from "../../../support/connection";

const worker = connectionTo({ name: "worker-2", host: "10.0.0.12" });
const other = connectionTo({ name: "worker-20", host: "10.0.0.120" });
const machines = (abandoned: string[] = [], rebuilt: string[] = []) => new UnreachableMachines({ abandoned, rebuilt });

test("no machine is abandoned, rebuilt or gone by default", () => {
  const none = machines();
  expect([none.isAbandoned(worker), none.isRebuilt("a1"), none.isMarkedGone(worker)]).toEqual([false, false, false]);
});

test.each([[["worker-1", "worker-2"]], [["10.0.0.12"]]])(
  "%j abandons a machine by its whole name or address",
  (names) => {
    expect([machines(names).isAbandoned(worker), machines(names).isAbandoned(other)]).toEqual([true, false]);
  },
);

test("`all` abandons every machine", () => {
  expect(machines(["all"]).isAbandoned(other)).toBe(true);
});

test("a rebuilt machine is named by its machine-id, which its replacement does not share", () => {
  const rebuilt = machines([], ["a1"]);
  expect([rebuilt.isRebuilt("a1"), rebuilt.isRebuilt("b2")]).toEqual([true, false]);
});

test("a machine marked gone is identified by address and key, not by name", () => {
  const all = machines();
  all.markGone({ ...worker, hostKey: "ssh-ed25519 AAAA" });
  const renamed = { ...worker, name: "renamed", hostKey: "ssh-ed25519 AAAA" };
  expect(all.isMarkedGone(renamed)).toBe(true);
  expect(all.isMarkedGone({ ...worker, hostKey: "ssh-ed25519 BBBB" })).toBe(false);
});

test("a silent machine is reported once, and again after it has answered", () => {
  const all = machines();
  expect([all.reportSilent(worker), all.reportSilent(worker), all.reportSilent(other)]).toEqual([true, false, true]);
  all.reportAnswer(worker);
  expect(all.reportSilent(worker)).toBe(true);
});

test("the advice names the configuration value to set", () => {
  expect(abandonAction(worker)).toContain("pulumi config set --path 'kubewright:recovery.abandoned[0]' worker-2");
});
