import { expect, test } from "vitest";
import { connectionSchema } from "../../../contracts/connection";

test("a connection and its jump hosts use port 22 and root unless configured otherwise", () => {
  expect(
    connectionSchema.parse({ host: "a", jump: { host: "b", jump: { host: "c", port: 2222, user: "ops" } } }),
  ).toEqual({
    host: "a",
    port: 22,
    user: "root",
    jump: { host: "b", port: 22, user: "root", jump: { host: "c", port: 2222, user: "ops" } },
  });
});

test.each([
  [{ host: "" }, "host: the machine's address is missing"],
  [{ host: "a", port: 0 }, "port: a port is between 1 and 65535"],
  [{ host: "a", port: 65536 }, "port: a port is between 1 and 65535"],
  [{ host: "a", hostKey: "SHA256:1234" }, "hostKey: expected a public key"],
  [{ host: "a", hostKey: "ssh-ed25519" }, "hostKey: expected a public key"],
  [{ host: "a", jump: { host: "b", hostKey: "MD5:aa:bb" } }, "jump.hostKey: expected a public key"],
])("rejects %j with the property's path", (connection, message) => {
  const issues = connectionSchema.safeParse(connection).error?.issues ?? [];
  const found = issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  expect(found).toEqual([expect.stringContaining(message)]);
});

test.each(["ssh-ed25519 AAAA", "ssh-rsa AAAA== root@machine", "ecdsa-sha2-nistp256 AAAA", ""])(
  "accepts the host key %j",
  (hostKey) => {
    expect(connectionSchema.parse({ host: "a", hostKey }).hostKey).toBe(hostKey);
  },
);
