/** DNS messages over TCP: https://www.rfc-editor.org/rfc/rfc1035#section-4 */

export type RecordType = "A" | "AAAA" | "TXT";

const TYPES: Readonly<Record<RecordType, number>> = { A: 1, TXT: 16, AAAA: 28 };
const INTERNET = 1;
const RECURSION_DESIRED = 0x0100;
const HEADER_BYTES = 12;
/** The first two bits of a name that refers to another one. */
const POINTER = 0xc0;

/** Returns a query with the prefix that TCP needs: its length. */
export function encodeQuery(name: string, type: RecordType): Buffer {
  const labels = name.split(".").filter(Boolean);
  const encoded = labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label, "ascii")]);
  const header = [1, RECURSION_DESIRED, 1, 0, 0, 0];
  const message = Buffer.concat([uint16(header), ...encoded, Buffer.from([0]), uint16([TYPES[type], INTERNET])]);
  return Buffer.concat([uint16([message.length]), message]);
}

export interface DnsAnswer {
  /** 0 is success; others are errors, such as 2, SERVFAIL. */
  code: number;
  /** Addresses, or texts of TXT records. */
  values: string[];
}

/** Returns the answer in what came over TCP; undefined while it is incomplete. */
export function decodeAnswer(data: Buffer): DnsAnswer | undefined {
  if (data.length < 2 || data.length < data.readUInt16BE(0) + 2) return undefined;
  const message = data.subarray(2, data.readUInt16BE(0) + 2);
  const [questions, answers] = [message.readUInt16BE(4), message.readUInt16BE(6)];
  let position = HEADER_BYTES;
  for (let index = 0; index < questions; index++) position = endOfName(message, position) + 4;
  const values: string[] = [];
  for (let index = 0; index < answers; index++) {
    const start = endOfName(message, position);
    const length = message.readUInt16BE(start + 8);
    const value = valueOf(message.readUInt16BE(start), message.subarray(start + 10, start + 10 + length));
    if (value !== undefined) values.push(value);
    position = start + 10 + length;
  }
  return { code: message.readUInt16BE(2) & 0xf, values };
}

function endOfName(message: Buffer, start: number): number {
  let position = start;
  for (;;) {
    const length = message.readUInt8(position);
    if (length === 0) return position + 1;
    if ((length & POINTER) === POINTER) return position + 2;
    position += length + 1;
  }
}

function valueOf(type: number, data: Buffer): string | undefined {
  if (type === TYPES.A) return [...data].join(".");
  if (type === TYPES.TXT) return data.subarray(1, 1 + (data[0] ?? 0)).toString();
  if (type !== TYPES.AAAA) return undefined;
  const groups = Array.from({ length: 8 }, (_, index) => data.readUInt16BE(index * 2).toString(16));
  return groups.join(":");
}

function uint16(values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(values.length * 2);
  values.forEach((value, index) => buffer.writeUInt16BE(value, index * 2));
  return buffer;
}
