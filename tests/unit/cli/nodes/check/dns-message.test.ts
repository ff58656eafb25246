import { expect, test } from "vitest";
import { decodeAnswer, encodeQuery } from "../../../../../cli/nodes/check/dns-message";

const QUESTION = "0363786b026e730000100001"; // cxk.ns TXT
/** An answer over TCP with one record, whose name refers to the question. */
function answer(type: string, data: string, flags = "8180"): Buffer {
  const length = (data.length / 2).toString(16).padStart(4, "0");
  const message = `0001${flags}0001000100000000${QUESTION}c00c${type}000100000000${length}${data}`;
  return Buffer.from((message.length / 2).toString(16).padStart(4, "0") + message, "hex");
}

test("a query has its length, the labels of the name, the type and the class", () => {
  expect(encodeQuery("cxk.ns.", "TXT").toString("hex")).toBe(`0018000101000001000000000000${QUESTION}`);
});

test.each([
  ["0001", "0a600001", "10.96.0.1"],
  ["0010", "0476312061", "v1 a"],
  ["001c", "fd000000000000000000000000000001", "fd00:0:0:0:0:0:0:1"],
])("an answer of type %s has its value", (type, data, value) => {
  expect(decodeAnswer(answer(type, data))).toEqual({ code: 0, values: [value] });
});

test("an answer has its code, and no values of other types", () => {
  expect(decodeAnswer(answer("0005", "00", "8183"))).toEqual({ code: 3, values: [] });
});

test("an incomplete answer is waited for", () => {
  const whole = answer("0001", "0a600001");
  expect(decodeAnswer(whole.subarray(0, 1))).toBeUndefined();
  expect(decodeAnswer(whole.subarray(0, -1))).toBeUndefined();
});
