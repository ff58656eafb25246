import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { expect, test } from "vitest";
import {
  SecretPaths,
  UNKNOWN,
  decode,
  encode,
  formatPath,
  hasUnknown,
  withoutUnknown,
  legible,
} from "../../../../provider/rpc/values";

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = { [SIGNATURE]: "1b47061264138c4ac30d75fd1eb44270" };

test("a secret is decoded to plain text, and encoded as a secret again", () => {
  const wire = Struct.fromJavaScript({ user: "root", files: { "/a": { content: { ...SECRET, value: "hush" } } } });
  const secrets = new SecretPaths();
  const plain = decode(wire, secrets);
  expect(plain).toEqual({ user: "root", files: { "/a": { content: "hush" } } });
  expect(encode(plain, secrets).toJavaScript()).toEqual(wire.toJavaScript());
});

test("secret outputs are encoded as secrets", () => {
  expect(encode({ kubeconfig: "x" }, new SecretPaths().with(["kubeconfig"])).toJavaScript()).toEqual({
    kubeconfig: { ...SECRET, value: "x" },
  });
});

test("unknown values survive decode and encode", () => {
  const wire = Struct.fromJavaScript({ address: "04da6b54-80e4-46f7-96ec-b56ff0331ba9", list: [1, "x"] });
  const plain = decode(wire);
  expect(plain).toEqual({ address: UNKNOWN, list: [1, "x"] });
  expect(encode(plain).toJavaScript()).toEqual(wire.toJavaScript());
});

test("legible values have placeholders for secrets and unknown values", () => {
  const secrets = new SecretPaths([["files", "/a", "content"]]);
  const shown = legible({ files: { "/a": { content: "hush", mode: "0600" } }, address: UNKNOWN }, secrets);
  expect(shown).toEqual({
    files: { "/a": { content: "[secret]", mode: "0600" } },
    address: "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  });
});

test("an unknown value is found at any depth", () => {
  expect(hasUnknown({ a: [{ b: UNKNOWN }] })).toBe(true);
  expect(withoutUnknown({ a: { b: UNKNOWN }, c: 1 })).toEqual({ c: 1 });
});

test("paths are formatted as Pulumi does", () => {
  expect(formatPath(["files", "/etc/x", "mode"])).toBe('files["/etc/x"].mode');
  expect(formatPath(["machines", "0", "name"])).toBe("machines[0].name");
});

test("null survives decode and encode, in maps and in lists", () => {
  const wire = Struct.fromJavaScript({ spec: { replicas: null }, list: [null, 1] });
  expect(decode(wire)).toEqual({ spec: { replicas: null }, list: [null, 1] });
  expect(encode(decode(wire)).toJavaScript()).toEqual(wire.toJavaScript());
});
