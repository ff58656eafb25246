import { expect, test } from "vitest";
import { parseUnitState, unitProblem } from "../../../../provider/host/systemd";

const show = (properties: Record<string, string | number>) =>
  parseUnitState(
    Object.entries({ LoadState: "loaded", UnitFileState: "enabled", NRestarts: 0, ...properties })
      .map(([name, value]) => `${name}=${value}`)
      .join("\n"),
  );

test.each([
  [{ ActiveState: "active", SubState: "running" }, undefined],
  [{ ActiveState: "activating", SubState: "start" }, undefined],
  [{ ActiveState: "activating", SubState: "auto-restart" }, "crash-looping"],
  [{ ActiveState: "failed", SubState: "failed" }, "failed"],
  [{ ActiveState: "inactive", SubState: "dead" }, "not running"],
  [{ ActiveState: "inactive", SubState: "dead", LoadState: "masked" }, "masked"],
])("%j is %s", (properties, problem) => {
  expect(unitProblem(show(properties))).toBe(problem);
});

test("a service that systemd restarted several times and that runs for a short time only is crash-looping", () => {
  const running = { ActiveState: "active", SubState: "running", NRestarts: 4, Uptime: "1000.5" };
  expect(unitProblem(show({ ...running, ActiveEnterTimestampMonotonic: 998_000_000 }))).toBe("crash-looping");
  expect(unitProblem(show({ ...running, ActiveEnterTimestampMonotonic: 900_000_000 }))).toBeUndefined();
});

test("a unit whose required file is missing is not startable", () => {
  expect(parseUnitState("Startable=no\nActiveState=inactive").startable).toBe(false);
  expect(parseUnitState("ActiveState=inactive").startable).toBe(true);
});
