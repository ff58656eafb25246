import { Client } from "ssh2";

/** The side that sent a message. */
export type Sender = "client" | "server";

/** One message of the SSH transport protocol, as it is on the wire (RFC 4253). */
export interface SshMessage {
  bytes: Buffer;
  /** `banner`, `KEXINIT`, or `encrypted` after the key exchange. */
  name: string;
}

/** Names of the messages that are sent in plain text, by their number. */
const PLAIN: Readonly<Record<number, string>> = {
  20: "KEXINIT",
  21: "NEWKEYS",
  30: "KEX_ECDH_INIT",
  31: "KEX_ECDH_REPLY",
};
/** Bytes of the authentication tag of AES-GCM. */
const TAG_BYTES = 16;
const LENGTH_BYTES = 4;
/** A longer packet means that the stream is not split at its packets. */
const LONGEST_PACKET = 256 << 10;

/**
 * Splits one direction of an SSH connection into its messages. It needs no keys: AES-GCM (RFC 5647), which is
 * negotiated first, leaves the length of a packet in plain text.
 */
export class SshMessageSplitter {
  private rest = Buffer.alloc(0);
  private hasBanner = false;
  private isEncrypted = false;

  /** Returns the messages that are complete with this data. */
  push(data: Buffer): SshMessage[] {
    this.rest = Buffer.concat([this.rest, data]);
    const messages: SshMessage[] = [];
    for (let next = this.next(); next; next = this.next()) messages.push(next);
    return messages;
  }

  private next(): SshMessage | undefined {
    return this.hasBanner ? this.nextPacket() : this.nextBanner();
  }

  private nextBanner(): SshMessage | undefined {
    const end = this.rest.indexOf("\n");
    if (end < 0) return undefined;
    this.hasBanner = true;
    return { name: "banner", bytes: this.take(end + 1) };
  }

  private nextPacket(): SshMessage | undefined {
    if (this.rest.length <= LENGTH_BYTES + 1) return undefined;
    const length = this.rest.readUInt32BE(0);
    if (length > LONGEST_PACKET) throw new Error(`a packet of ${length} bytes: the cipher is not AES-GCM`);
    const total = LENGTH_BYTES + length + (this.isEncrypted ? TAG_BYTES : 0);
    if (this.rest.length < total) return undefined;
    const name = this.isEncrypted ? "encrypted" : (PLAIN[this.rest.readUInt8(LENGTH_BYTES + 1)] ?? "plain");
    if (name === "NEWKEYS") this.isEncrypted = true;
    return { name, bytes: this.take(total) };
  }

  private take(length: number): Buffer {
    const taken = this.rest.subarray(0, length);
    this.rest = this.rest.subarray(length);
    return taken;
  }
}

/** Takes the names of encrypted messages from the debug output of ssh2. */
export class MessageNames {
  private readonly lines: string[] = [];
  private readonly original = Client.prototype.connect;

  constructor(port: number) {
    const { original, lines } = this;
    Client.prototype.connect = function (config) {
      const debug = (line: string) => void lines.push(line);
      return original.call(this, config.port === port ? { ...config, debug } : config);
    };
  }

  stop(): void {
    Client.prototype.connect = this.original;
  }

  apply(passed: Record<Sender, string[]>): Record<Sender, string[]> {
    return { client: this.name(passed.client, "Outbound"), server: this.name(passed.server, "Inbound") };
  }

  private name(passed: readonly string[], direction: "Outbound" | "Inbound"): string[] {
    const lines = this.lines.filter((line) => line.startsWith(direction));
    const start = lines.findIndex((line) => line.includes("NEWKEYS")) + 1;
    const encrypted = lines
      .slice(start)
      .map((line) => line.replace(/^\w+: (?:Sending |Received )?/, "").replace(/(exec): .*\)$/s, "$1)"));
    return passed.map((name) => (name === "encrypted" ? (encrypted.shift() ?? "?") : name));
  }
}
