import { afterEach, expect, test, vi } from "vitest";
import { recordCaller, userCommand } from "../../../common/user-command";

afterEach(() => vi.unstubAllEnvs());

test("in a clone a command is an npm script, with its arguments after --", () => {
  vi.stubEnv("KUBEWRIGHT_CALLED_AS", undefined);
  expect(userCommand("up")).toBe("npm start");
  expect(userCommand("up", "--refresh")).toBe("npm start -- --refresh");
  expect(userCommand("kubeconfig")).toBe("npm run -s kubeconfig");
  expect(userCommand("node drain", "worker-2", "")).toBe("npm run node:drain -- worker-2");
});

test.each(["kubewright", "npx kubewright"])("with the program the messages name %s", (caller) => {
  vi.stubEnv("KUBEWRIGHT_CALLED_AS", undefined);
  recordCaller(caller);
  expect(userCommand("up")).toBe(`${caller} up`);
  expect(userCommand("node drain", "worker-2", "--stack lab")).toBe(`${caller} node drain worker-2 --stack lab`);
});
