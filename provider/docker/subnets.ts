import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import ipaddr from "ipaddr.js";

/** Subnets are taken out of here, 254 machines each: away from home networks (192.168/16) and most companies' (10/8). */
const FIRST_SECOND_OCTET = 20;
const SECOND_OCTETS = 12;
const CANDIDATES = SECOND_OCTETS * 256;
/** Machine 0 of a network; the addresses before it stay the network's own and a person's. */
export const FIRST_OFFSET = 10;

/**
 * Pure: free /24 subnets, the best first. The order starts at a place of the stack's own, so that two stacks seldom want
 * the same one and a stack that is made anew gets its old addresses again.
 * @param taken CIDRs that must not overlap; IPv6 ones never do.
 */
export function freeSubnets(stack: string, taken: readonly string[]): string[] {
  const start = createHash("sha256").update(stack).digest().readUInt32BE(0) % CANDIDATES;
  const all = Array.from({ length: CANDIDATES }, (_, step) => candidate((start + step) % CANDIDATES));
  return all.filter((subnet) => !taken.some((other) => overlap(subnet, other)));
}

function candidate(index: number): string {
  return `172.${FIRST_SECOND_OCTET + Math.floor(index / 256)}.${index % 256}.0/24`;
}

/** Do two CIDRs have an address in common? */
export function overlap(one: string, other: string): boolean {
  const [a, b] = [ipaddr.parseCIDR(one), ipaddr.parseCIDR(other)];
  if (a[0].kind() !== b[0].kind()) return false;
  return a[0].match(b[0], Math.min(a[1], b[1]));
}

/**
 * A MAC address that follows from the IPv4 address, as Docker itself made them up to version 27. A new machine on an old
 * address with another MAC would be out of reach until its neighbours' ARP entries are gone (9 to 40 s).
 */
export function macOf(address: string): string {
  const bytes = [0x02, 0x42, ...ipaddr.IPv4.parse(address).toByteArray()];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** What the controller itself has an address in or a route to, the default route left out. */
export function hostSubnets(): string[] {
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const cidrs = own.filter(({ family, cidr }) => family === "IPv4" && cidr !== null).map(({ cidr }) => cidr ?? "");
  const routes = existsSync("/proc/net/route") ? parseRoutes(readFileSync("/proc/net/route", "utf8")) : [];
  return [...new Set([...cidrs, ...routes])];
}

/** Pure: the destinations in /proc/net/route, which are little-endian hexadecimal numbers. */
export function parseRoutes(table: string): string[] {
  const rows = table.trim().split("\n").slice(1);
  return rows
    .map((row) => row.split(/\s+/))
    .map(([, destination = "", , , , , , mask = ""]) => ({
      address: littleEndian(destination),
      mask: littleEndian(mask),
    }))
    .filter(({ mask }) => mask !== "0.0.0.0")
    .map(({ address, mask }) => `${address}/${ipaddr.IPv4.parse(mask).prefixLengthFromSubnetMask() ?? 32}`);
}

function littleEndian(hex: string): string {
  return [...Buffer.from(hex, "hex")].reverse().join(".");
}
