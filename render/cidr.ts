import ipaddr from "ipaddr.js";

/** An IPv4 range. */
export interface Cidr {
  /** First address, as a number. */
  first: number;
  /** Last address, as a number. */
  last: number;
  prefix: number;
}

/** Parses an IPv4 CIDR, without its host bits. Returns undefined when the text is not one. */
export function parseCidr(text: string): Cidr | undefined {
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(text)) return undefined;
  const [address, prefix] = ipaddr.IPv4.parseCIDR(text);
  const size = 2 ** (32 - prefix);
  const first = Math.floor(toNumber(address) / size) * size;
  return { first, last: first + size - 1, prefix };
}

/** Returns a CIDR without host bits: `10.1.0.0/16` for `10.1.2.3/16`. */
export function networkOf(text: string): string {
  return `${ipaddr.IPv4.networkAddressFromCIDR(text).toString()}/${text.split("/")[1] ?? ""}`;
}

/** Returns whether two ranges have an address in common. */
export function isOverlapping(one: Cidr, other: Cidr): boolean {
  return one.first <= other.last && other.first <= one.last;
}

/**
 * Returns the nth address of a subnet, counted from its network address.
 * @throws RangeError when the subnet is too small
 */
export function addressIn(subnet: string, offset: number): string {
  const [base, prefix] = ipaddr.IPv4.parseCIDR(subnet);
  const size = 2 ** (32 - prefix);
  if (offset < 1 || offset >= size - 1) throw new RangeError(`subnet ${subnet} is too small for ${offset} addresses`);
  const network = ipaddr.IPv4.networkAddressFromCIDR(`${base.toString()}/${prefix}`);
  const number = Buffer.from(network.toByteArray()).readUInt32BE(0) + offset;
  return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join(".");
}

export function isIpv4(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text);
}

/** Returns whether a range includes an IPv4 address. False for text that is not an IPv4 address. */
export function includes(cidr: Cidr, address: string): boolean {
  if (!isIpv4(address)) return false;
  const value = toNumber(ipaddr.IPv4.parse(address));
  return cidr.first <= value && value <= cidr.last;
}

function toNumber(address: ipaddr.IPv4): number {
  return address.toByteArray().reduce((value, octet) => value * 256 + octet, 0);
}

/** Returns the nth address of a range, where 0 is the network address. Undefined beyond the range's end. */
export function addressAt(range: string, index: number): string | undefined {
  const cidr = parseCidr(range);
  return cidr && cidr.first + index <= cidr.last ? toAddress(cidr.first + index) : undefined;
}

/**
 * Returns the nth subnet of a range: `10.244.3.0/24` for `10.244.0.0/16`, 24 and 3. Undefined beyond the range's end.
 */
export function subnetAt(range: string, prefix: number, index: number): string | undefined {
  const cidr = parseCidr(range);
  const first = cidr && cidr.first + index * 2 ** (32 - prefix);
  return cidr && first !== undefined && prefix >= cidr.prefix && first <= cidr.last
    ? `${toAddress(first)}/${prefix}`
    : undefined;
}

function toAddress(value: number): string {
  return [24, 16, 8, 0].map((bits) => Math.floor(value / 2 ** bits) % 256).join(".");
}
