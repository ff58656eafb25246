import { expect, test } from "vitest";
import { configuredSettings } from "../../../../provider/rpc/provider-configuration";

test.each([
  ["as the engine passes it", { timeouts: '{"init":600,"patience":2}' }, 2],
  ["as `pulumi config set` writes it", { timeouts: '{"patience":"3"}' }, 3],
  ["absent", {}, 1],
  ["other timeouts only", { timeouts: '{"init":600}' }, 1],
  ["invalid", { timeouts: '{"patience":-1}' }, 1],
  ["not JSON", { timeouts: "{" }, 1],
])("timeouts.patience: %s", (_, configuration, expected) => {
  expect(configuredSettings(configuration).patience).toBe(expected);
});

test.each([
  ["as the engine passes it", { timeouts: '{"healthy":300}' }, 300],
  ["absent", {}, 120],
  ["invalid", { timeouts: '{"healthy":"soon","patience":2}' }, 120],
])("timeouts.healthy: %s", (_, configuration, expected) => {
  expect(configuredSettings(configuration).healthySeconds).toBe(expected);
});

test.each([
  ["pull", "pull"],
  ["push", "push"],
  ["fetch", "auto"],
  [undefined, "auto"],
])("transfer %s: %s", (transfer, expected) => {
  expect(configuredSettings({ transfer }).transfer).toBe(expected);
});

test("recovery names machines and accepted host keys", () => {
  const recovery = { abandoned: ["worker-2"], rebuilt: ["a1"], acceptHostKeys: { "worker-1": "SHA256:x" } };
  const others = { patience: 1, healthySeconds: 120, transfer: "auto" };
  expect(configuredSettings({ recovery: JSON.stringify(recovery) })).toEqual({ ...others, ...recovery });
});

test.each([
  ["absent", undefined],
  ["not JSON", "{"],
  ["invalid", '{"abandoned":"worker-2"}'],
])("recovery %s: no machine is abandoned", (_, recovery) => {
  expect(configuredSettings({ recovery })).toEqual({
    patience: 1,
    healthySeconds: 120,
    transfer: "auto",
    abandoned: [],
    rebuilt: [],
    acceptHostKeys: {},
  });
});

test("the backup of a lost cluster is known, also where Pulumi stores its id as a number", () => {
  expect(configuredSettings({ backup: '{"restoreFrom":"latest","password":"x"}' }).restoreFrom).toBe("latest");
  expect(configuredSettings({ backup: '{"restoreFrom":12345678}' }).restoreFrom).toBe("12345678");
  expect(configuredSettings({ backup: '{"repository":"/srv"}' }).restoreFrom).toBeUndefined();
});
