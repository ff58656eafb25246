import { expect, test } from "vitest";
import { commandFailure, failureOf, plainText } from "../../../scripts/lib/failure";

const URN = "urn:pulumi:dev::kubewright::kubewright:components:Cluster$kubewright:kubeadm:Join::worker-2-join";

test("names the resource once and drops what Pulumi puts around the cause", () => {
  const text = `1 error occurred:\n\t* creating ${URN}: kubeadm join failed on worker-2 (10.0.0.12): refused; look there`;
  expect(failureOf(URN, text)).toBe("Join worker-2-join: kubeadm join failed on worker-2 (10.0.0.12): refused; look there");
});

test("says nothing where there is only a repetition", () => {
  expect(failureOf("urn:pulumi:dev::kubewright::pulumi:pulumi:Stack::kubewright-dev", "update failed")).toBeUndefined();
});

test("keeps further lines", () => {
  expect(failureOf(undefined, "error: two things:\n  one\n  two")).toBe("two things:\n    one\n    two");
});

test("finds the error in what the Automation API throws", () => {
  const thrown = new Error("code: -2\n stdout: \n stderr: Command failed with exit code 255: pulumi up\nerror: the passphrase is wrong\nUpdating (dev)\n err?: Error\n    at exec (cmd.js:1)\n");
  expect(commandFailure(thrown)).toBe("the passphrase is wrong");
  expect(commandFailure(new Error("no such file"))).toBe("no such file");
});

test("colours go", () => {
  expect(plainText("<{%fg 1%}>red<{%reset%}>\n")).toBe("red");
});
