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
])("rejects %j with the property's path", (connection, message) => {
  const issues = connectionSchema.safeParse(connection).error?.issues ?? [];
  expect(issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`)).toEqual([message]);
});
