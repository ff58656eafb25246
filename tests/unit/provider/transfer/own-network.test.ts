import type { NetworkInterfaceInfo } from "node:os";
import { expect, test } from "vitest";
import { isOnOwnNetwork } from "../../../../provider/transfer/own-network";
import { connectionTo } from "../../../support/connection";

const address = (cidr: string, family: "IPv4" | "IPv6"): NetworkInterfaceInfo =>
  ({ cidr, family, address: cidr.split("/")[0], netmask: "", mac: "", internal: false }) as NetworkInterfaceInfo;
const interfaces = {
  lo: [address("127.0.0.1/8", "IPv4"), address("::1/128", "IPv6")],
  docker0: [address("172.17.0.1/16", "IPv4"), address("fd00:1::1/64", "IPv6")],
  gone: undefined,
};

test.each([
  ["172.17.3.4", true],
  ["172.18.0.2", false],
  ["127.0.0.1", true],
  ["203.0.113.9", false],
  ["fd00:1::2", true],
  ["fd00:2::2", false],
  ["docker0.example.com", false],
])("a machine at %s: %s", (host, expected) => {
  expect(isOnOwnNetwork(connectionTo({ host }), interfaces)).toBe(expected);
});

test("a machine behind a jump host is in another network, whatever its address", () => {
  const jump = { host: "172.17.0.9", port: 22, user: "root" };
  expect(isOnOwnNetwork({ host: "172.17.3.4", jump }, interfaces)).toBe(false);
});
