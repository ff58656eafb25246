import { Writable } from "node:stream";
import { StringDecoder } from "node:string_decoder";
import { printable } from "../../common/printable";

/** Characters of one line. */
const LONGEST_LINE = 16_000;

/** Returns a stream that calls `write` with each complete line, which cannot control the terminal. */
export function lineWriter(write: (line: string) => void): Writable {
  const decoder = new StringDecoder("utf8");
  let rest = "";
  const print = (line: string) => write(`${printable(line, LONGEST_LINE)}\n`);
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      const lines = (rest + decoder.write(chunk)).split("\n");
      rest = lines.pop() ?? "";
      lines.forEach(print);
      done();
    },
    final(done) {
      if (rest !== "") print(rest);
      done();
    },
  });
}
