import { expect, test, vi } from "vitest";
import { run } from "../../../../cli/commands/node-join";
import type { ConfigChange } from "../../../../cli/engine/stack-config";
import type { Options } from "../../../../cli/terminal/options";
import { configOf } from "../../../../components/program/program-config";
import { fakeSession, fakeStack } from "../fake-stack";

const changed: ConfigChange[] = [];
const session = fakeSession();
const host = { name: "old-server", host: "10.0.0.8", user: "admin", password: "test" };
const config = configOf({
  workers: JSON.stringify({ count: 2, hosts: [host] }),
  pools: JSON.stringify({ gpu: { count: 1 } }),
  kubernetes: JSON.stringify({ version: "1.36.3", hold: { workers: "1.35.4" }, additional: { gpu: 1 } }),
});

vi.mock("../../../../cli/engine/stack-session", () => ({
  withStack: async (_options: unknown, _command: string, work: (...all: unknown[]) => Promise<number>) =>
    await work(fakeStack(), session),
}));
vi.mock("../../../../cli/engine/operate", () => ({ runOperation: async () => ({}) }));
vi.mock("../../../../cli/engine/stack-config", async (original) => ({
  ...(await original<object>()),
  readStackConfig: async () => config,
  changeStackConfig: async (_stack: unknown, change: ConfigChange) => void changed.push(change),
}));

async function changeFor(values: Record<string, string>): Promise<ConfigChange | undefined> {
  const options: Options = { stack: "dev", config: {}, flags: new Set(), values, words: [] };
  vi.spyOn(process.stdout, "write").mockReturnValueOnce(true);
  expect(await run(options)).toBe(0);
  return changed.at(-1);
}

test("raises the count of the default pool by one, and of a pool with an additional machine by a number", async () => {
  expect(await changeFor({})).toEqual({ "workers.count": 3 });
  expect(await changeFor({ pool: "gpu", count: "2" })).toEqual({ "pools.gpu.count": 3 });
});

test("adds a machine of the user, named after its address", async () => {
  expect(await changeFor({ host: "10.0.0.9", user: "admin", key: "/k", port: "2222" })).toEqual({
    "workers.hosts[1].name": "node-10-0-0-9",
    "workers.hosts[1].host": "10.0.0.9",
    "workers.hosts[1].user": "admin",
    "workers.hosts[1].privateKeyPath": "/k",
    "workers.hosts[1].port": 2222,
  });
});

test("updates the entry of a machine that is configured with the same name and address", async () => {
  expect(await changeFor({ host: "10.0.0.8", name: "old-server", user: "root" })).toMatchObject({
    "workers.hosts[0].user": "root",
  });
});

test("refuses the name of another machine, and an unknown pool", async () => {
  await expect(changeFor({ host: "10.0.0.7", name: "old-server" })).rejects.toThrow(/choose another name with --name/);
  await expect(changeFor({ pool: "big" })).rejects.toThrow(/there is no pool named big/);
});

test("names the version of a worker that joins a pool which a paused upgrade holds", async () => {
  session.lines.length = 0;
  await changeFor({ pool: "gpu" });
  expect(session.lines.join("\n")).not.toContain("paused");
  await changeFor({});
  expect(session.lines).toContain(
    "new workers of pool workers get Kubernetes 1.35.4, because the upgrade to 1.36.3 is paused (kubernetes.hold); " +
      "`npm run upgrade -- --resume` upgrades them with the others",
  );
});
