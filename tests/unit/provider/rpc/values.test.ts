import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { expect, test } from "vitest";
import {
  SecretPaths,
  UNKNOWN,
  decode,
  encode,
  formatPath,
  hasUnknown,
  known,
  legible,
} from "../../../../provider/rpc/values";

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = { [SIGNATURE]: "1b47061264138c4ac30d75fd1eb44270" };

test("a secret is plain inside and a secret again on the wire", () => {
  const wire = Struct.fromJavaScript({ user: "root", files: { "/a": { content: { ...SECRET, value: "hush" } } } });
  const secrets = new SecretPaths();
  const plain = decode(wire, secrets);
  expect(plain).toEqual({ user: "root", files: { "/a": { content: "hush" } } });
  expect(encode(plain, secrets).toJavaScript()).toEqual(wire.toJavaScript());
});

test("outputs that are secret by nature are wrapped too", () => {
  expect(encode({ kubeconfig: "x" }, new SecretPaths().with(["kubeconfig"])).toJavaScript()).toEqual({
    kubeconfig: { ...SECRET, value: "x" },
  });
});

test("unknowns survive the way in and out", () => {
  const wire = Struct.fromJavaScript({ address: "04da6b54-80e4-46f7-96ec-b56ff0331ba9", list: [1, "x"] });
  const plain = decode(wire);
  expect(plain).toEqual({ address: UNKNOWN, list: [1, "x"] });
  expect(encode(plain).toJavaScript()).toEqual(wire.toJavaScript());
});

test("what may be shown has words for secrets and unknowns", () => {
  const secrets = new SecretPaths([["files", "/a", "content"]]);
  const shown = legible({ files: { "/a": { content: "hush", mode: "0600" } }, address: UNKNOWN }, secrets);
  expect(shown).toEqual({
    files: { "/a": { content: "[secret]", mode: "0600" } },
    address: "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
  });
});

test("knows what is not known yet, however deep", () => {
  expect(hasUnknown({ a: [{ b: UNKNOWN }] })).toBe(true);
  expect(known({ a: { b: UNKNOWN }, c: 1 })).toEqual({ c: 1 });
});

test("writes paths as Pulumi does", () => {
  expect(formatPath(["files", "/etc/x", "mode"])).toBe('files["/etc/x"].mode');
  expect(formatPath(["machines", "0", "name"])).toBe("machines[0].name");
});
