import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Redactor, REMOVED } from "../../../../cli/support/redactor";

const BODY = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ";
const KEY = `-----BEGIN OPENSSH PRIVATE KEY-----\n${BODY}\n-----END OPENSSH PRIVATE KEY-----\n`;

test("removes a known secret as it is, in JSON, in a URL and in base64", () => {
  const redactor = new Redactor(['pass"word\\1/2 ä']);
  const forms = ['pass"word\\1/2 ä', JSON.stringify('pass"word\\1/2 ä').slice(1, -1), "pass%22word%5C1%2F2%20%C3%A4"];
  for (const form of forms) expect(redactor.text(`<${form}>`)).toBe(`<${REMOVED}>`);
  const encoded = Buffer.from('pass"word\\1/2 ä').toString("base64");
  expect(redactor.text(encoded)).not.toContain(encoded.slice(0, 8));
});

test("removes each line of a private key", () => {
  const redactor = new Redactor([KEY]);
  expect(redactor.text(`a ${KEY.split("\n")[1]} b`)).toBe(`a ${REMOVED} b`);
  expect(redactor.text(`data: ${Buffer.from(KEY).toString("base64")}`)).not.toMatch(/LS0tLS1CRUdJTi/);
});

test.each([
  ["a private key", `x ${KEY}y`],
  ["a private key that is cut", `x ${KEY.slice(0, 60)}`],
  ["a bootstrap token", "kubeadm join --token abcdef.0123456789abcdef"],
  ["a JSON web token", "Authorization eyJhbGciOiJSUzI1NiIs.eyJpc3MiOiJrdWJlcm5ldGVz.c2lnbmF0dXJl"],
  ["a header", "Authorization: Bearer 0123456789"],
  ["a password in a URL", "https://admin:correct-horse@registry.example.com/v2"],
  ["a password in a setting", 'password = "correct-horse"'],
  ["a flag", "--certificate-key 0123456789abcdef0123"],
])("removes %s that it does not know", (_, text) => {
  const clean = new Redactor().text(text);
  expect(clean).toContain(REMOVED);
  expect(clean).not.toMatch(new RegExp(`${BODY.slice(0, 8)}|abcdef[.]|eyJpc|0123456789|correct-horse`));
});

test("removes properties that are secrets by name, and keeps the others", () => {
  const redactor = new Redactor();
  const value = { user: "root", sudoPassword: "hunter22", list: [{ secretAccessKey: "s3-key" }], key: "node-role" };
  redactor.addNamed(value);
  expect(redactor.value(value)).toEqual({
    ...{ user: "root", sudoPassword: REMOVED, list: [{ secretAccessKey: REMOVED }], key: "node-role" },
  });
  expect(redactor.text("sudo: hunter22; s3-key")).toBe(`sudo: ${REMOVED}; ${REMOVED}`);
});

test("keeps ordinary lines of logs", () => {
  const line = "2026-11-26T18:00:00+00:00 worker-1 kubelet[812]: I1126 Starting kubelet, token authentication is on";
  expect(new Redactor(["correct-horse", "abc", ""]).text(line)).toBe(line);
});

test("no known secret remains, whatever is around it", () => {
  const secret = fc.string({ minLength: 4, maxLength: 40 }).filter((text) => text.trim().length >= 4);
  fc.assert(
    fc.property(fc.array(secret, { minLength: 1, maxLength: 5 }), fc.string(), (secrets, around) => {
      const clean = new Redactor(secrets).text(secrets.map((one) => `${around}${one}`).join("\n"));
      for (const one of secrets)
        if (!REMOVED.includes(one.trim()))
          expect(clean.split(REMOVED).some((part) => part.includes(one.trim()))).toBe(false);
    }),
  );
});
