import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import ipaddr from "ipaddr.js";

/**
 * Subnets come from 172.20.0.0 to 172.31.255.255, away from home networks (192.168/16) and most company networks
 * (10/8).
 */
const FIRST_SECOND_OCTET = 20;
const SECOND_OCTETS = 12;
const CANDIDATES = SECOND_OCTETS * 256;
/** Host part of machine 0's address. Lower addresses are reserved for the gateway and for the user. */
export const FIRST_OFFSET = 10;

/**
 * Lists free /24 subnets in order of preference. The order depends on the stack's name: two stacks rarely prefer the
 * same subnet, and a recreated stack gets its previous addresses.
 * @param taken CIDRs that a subnet must not overlap. IPv6 CIDRs never overlap.
 */
export function freeSubnets(stack: string, taken: readonly string[]): string[] {
  const start = createHash("sha256").update(stack).digest().readUInt32BE(0) % CANDIDATES;
  const all = Array.from({ length: CANDIDATES }, (_, step) => candidate((start + step) % CANDIDATES));
  return all.filter((subnet) => !taken.some((other) => hasOverlap(subnet, other)));
}

function candidate(index: number): string {
  return `172.${FIRST_SECOND_OCTET + Math.floor(index / 256)}.${index % 256}.0/24`;
}

/** Returns whether two CIDRs have an address in common. */
export function hasOverlap(one: string, other: string): boolean {
  const [a, b] = [ipaddr.parseCIDR(one), ipaddr.parseCIDR(other)];
  if (a[0].kind() !== b[0].kind()) return false;
  return a[0].match(b[0], Math.min(a[1], b[1]));
}

/**
 * Derives a MAC address from an IPv4 address, as Docker did up to version 27. With a random MAC address, a recreated
 * machine would be unreachable until its neighbors' ARP entries expire (9 to 40 s).
 */
export function macOf(address: string): string {
  const bytes = [0x02, 0x42, ...ipaddr.IPv4.parse(address).toByteArray()];
  return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(":");
}

/** Returns the subnets of the controller's addresses and routes, without the default route. */
export function readHostSubnets(): string[] {
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const cidrs = own.filter(({ family, cidr }) => family === "IPv4" && cidr !== null).map(({ cidr }) => cidr ?? "");
  const routes = existsSync("/proc/net/route") ? parseRoutes(readFileSync("/proc/net/route", "utf8")) : [];
  return [...new Set([...cidrs, ...routes])];
}

/** Parses the destinations of /proc/net/route, which are little-endian hexadecimal numbers. */
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
