import { describe, expect, it } from "vitest";
import { addressIn } from "../../../../render/cidr";
import { freeSubnets, macOf, hasOverlap, parseRoutes } from "../../../../provider/docker/subnets";

describe("freeSubnets", () => {
  it("starts at a position that depends on the stack's name", () => {
    expect(freeSubnets("one", [])[0]).toBe(freeSubnets("one", [])[0]);
    expect(freeSubnets("one", [])[0]).not.toBe(freeSubnets("two", [])[0]);
    expect(freeSubnets("one", [])).toHaveLength(3072);
  });

  it("omits subnets that contain, or are contained in, one that is taken", () => {
    const [first = "", second] = freeSubnets("one", []);
    expect(freeSubnets("one", [first])[0]).toBe(second);
    expect(freeSubnets("one", [first.replace(".0/24", ".128/30")])[0]).toBe(second);
    expect(freeSubnets("one", ["172.16.0.0/12"])).toEqual([]);
    expect(freeSubnets("one", ["172.20.0.0/16", "10.0.0.0/8", "fd00::/8"])).toHaveLength(3072 - 256);
  });
});

describe("addresses", () => {
  it("counts from the network's address", () => {
    expect(addressIn("172.20.7.0/24", 10)).toBe("172.20.7.10");
    expect(addressIn("172.20.7.9/16", 300)).toBe("172.20.1.44");
    expect(addressIn("192.168.255.0/24", 254)).toBe("192.168.255.254");
  });

  it("refuses the broadcast address and addresses beyond it", () => {
    expect(() => addressIn("172.20.7.0/28", 15)).toThrow("172.20.7.0/28 is too small for 15 addresses");
    expect(() => addressIn("172.20.7.0/28", 0)).toThrow(RangeError);
  });

  it("derives a MAC address from an IP address", () => {
    expect(macOf("172.26.211.11")).toBe("02:42:ac:1a:d3:0b");
  });

  it("detects an overlap only within one address family", () => {
    expect(hasOverlap("10.0.0.0/8", "10.244.0.0/16")).toBe(true);
    expect(hasOverlap("10.244.0.0/16", "10.245.0.0/16")).toBe(false);
    expect(hasOverlap("10.244.0.0/16", "fd00::/8")).toBe(false);
  });
});

describe("parseRoutes", () => {
  it("parses the kernel's table, without the default route", () => {
    const table = [
      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
      "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0",
      "eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
      "docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0",
      "tun0\t0108A8C0\t00000000\t0005\t0\t0\t0\tFFFFFFFF\t0\t0\t0",
    ].join("\n");
    expect(parseRoutes(`${table}\n`)).toEqual(["192.0.2.0/24", "172.17.0.0/16", "192.168.8.1/32"]);
  });
});
