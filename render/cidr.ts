import ipaddr from "ipaddr.js";

/** An IPv4 range. */
export interface Cidr {
  /** First address as a number. */
  first: number;
  /** Last address as a number. */
  last: number;
  prefix: number;
}

/** The range, or undefined when the text is not an IPv4 CIDR; host bits are dropped (see `networkOf`). */
export function parseCidr(text: string): Cidr | undefined {
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(text)) return undefined;
  const [address, prefix] = ipaddr.IPv4.parseCIDR(text);
  const size = 2 ** (32 - prefix);
  const first = Math.floor(toNumber(address) / size) * size;
  return { first, last: first + size - 1, prefix };
}

/** The same range written without host bits: `10.1.2.3/16` is `10.1.0.0/16`. */
export function networkOf(text: string): string {
  return `${ipaddr.IPv4.networkAddressFromCIDR(text).toString()}/${text.split("/")[1] ?? ""}`;
}

export function overlap(one: Cidr, other: Cidr): boolean {
  return one.first <= other.last && other.first <= one.last;
}

/** The nth address of a subnet, counted from its network address. @throws RangeError where the subnet is too small. */
export function addressIn(subnet: string, offset: number): string {
  const [base, prefix] = ipaddr.IPv4.parseCIDR(subnet);
  const size = 2 ** (32 - prefix);
  if (offset < 1 || offset >= size - 1) throw new RangeError(`subnet ${subnet} has no address number ${offset}`);
  const network = ipaddr.IPv4.networkAddressFromCIDR(`${base.toString()}/${prefix}`);
  const number = Buffer.from(network.toByteArray()).readUInt32BE(0) + offset;
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join(".");
}

export function isIpv4(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text);
}

/** Whether the range has this IPv4 address; false for anything that is not one. */
export function includes(cidr: Cidr, address: string): boolean {
  if (!isIpv4(address)) return false;
  const value = toNumber(ipaddr.IPv4.parse(address));
  return cidr.first <= value && value <= cidr.last;
}

function toNumber(address: ipaddr.IPv4): number {
  return address.toByteArray().reduce((value, octet) => value * 256 + octet, 0);
}

/** The nth address of a range, the network's own being 0; undefined beyond its end. */
export function addressAt(range: string, index: number): string | undefined {
  const cidr = parseCidr(range);
  return cidr && cidr.first + index <= cidr.last ? toAddress(cidr.first + index) : undefined;
}

/** The nth part of a range with another prefix length: `10.244.0.0/16`, 24 and 3 are `10.244.3.0/24`; undefined beyond its end. */
export function partAt(range: string, prefix: number, index: number): string | undefined {
  const cidr = parseCidr(range);
  const first = cidr && cidr.first + index * 2 ** (32 - prefix);
  return cidr && first !== undefined && prefix >= cidr.prefix && first <= cidr.last
    ? `${toAddress(first)}/${prefix}`
    : undefined;
}

function toAddress(value: number): string {
  return [24, 16, 8, 0].map((bits) => Math.floor(value / 2 ** bits) % 256).join(".");
}
