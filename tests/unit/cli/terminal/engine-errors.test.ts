import { expect, test } from "vitest";
import { commandFailure, failureOf, mergeFailures, plainText } from "../../../../cli/terminal/engine-errors";

const URN = "urn:pulumi:dev::kubewright::kubewright:components:Cluster$kubewright:kubeadm:Join::worker-2-join";

test("names the resource once, without the text that Pulumi adds around the cause", () => {
  const text =
    `1 error occurred:\n\t* creating ${URN}: kubeadm join failed on worker-2 ` + `(10.0.0.12): refused; look there`;
  expect(failureOf(URN, text)).toBe(
    "Join worker-2-join: kubeadm join failed on worker-2 (10.0.0.12): refused; look there",
  );
});

test("returns nothing for a message without a cause", () => {
  expect(failureOf("urn:pulumi:dev::kubewright::pulumi:pulumi:Stack::kubewright-dev", "update failed")).toBeUndefined();
});

test.each(["", "Running program '/x/index.ts' failed with an unhandled exception:\n<ref *1> "])(
  "returns nothing where the SDK repeats the failure of a resource: %j",
  (before) => {
    const text =
      `${before}Error: resource worker-1-kubelet [kubewright:host:Unit] failed to ` +
      `register\n    at /x/node_modules/@pulumi/runtime/resource.ts:786:40\n`;
    expect(failureOf("urn:pulumi:dev::kubewright::pulumi:pulumi:Stack::kubewright-dev", text)).toBeUndefined();
  },
);

test("returns nothing where the SDK repeats a failure for a dependent resource", () => {
  expect(
    failureOf(
      "urn",
      'Error: error serializing property "membership": resource worker-2-join ' +
        "[kubewright:kubeadm:Join] failed to register\n    at /x/resource.ts:786:40\n",
    ),
  ).toBeUndefined();
});

test("keeps further lines of the cause", () => {
  expect(failureOf(undefined, "error: two things:\n  one\n  two")).toBe("two things:\n    one\n    two");
});

test("finds the error in an exception of the Automation API", () => {
  const thrown = new Error(
    "code: -2\n stdout: \n stderr: Command failed with exit code 255: pulumi " +
      "up\nerror: the passphrase is wrong\nUpdating (dev)\n err?: Error\n    at exec (cmd.js:1)\n",
  );
  expect(commandFailure(thrown)).toBe("the passphrase is wrong");
  expect(commandFailure(new Error("no such file"))).toBe("no such file");
});

test("removes color marks", () => {
  expect(plainText("<{%fg 1%}>red<{%reset%}>\n")).toBe("red");
});

test("failures with the same cause are one, with the number of the other resources", () => {
  const refused = "SSH connection failed on a (10.0.0.1): the host key is not the pinned one; compare it";
  const failures = [
    `Host a-host: ${refused}`,
    `Files a-files: ${refused}`,
    "Unit b-kubelet: no space",
    `Unit a: ${refused}`,
  ];
  expect(mergeFailures(failures)).toEqual([
    `Host a-host: ${refused}\n  2 other resources failed with the same error`,
    "Unit b-kubelet: no space",
  ]);
  expect(mergeFailures(failures.slice(0, 2))).toEqual([
    `Host a-host: ${refused}\n  1 other resource failed with the same error`,
  ]);
});

test("failures that name no resource are not merged with others", () => {
  const failures = ["reading a: no such file", "reading b: no such file", "no such file"];
  expect(mergeFailures(failures)).toEqual(failures);
});

test("a locked stack names the holder of the lock, and the next action", () => {
  const error = new Error(
    "code: 255\n stderr: error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to " +
      "end or delete the lock file with `pulumi cancel`.\n  postgres://****:****@db/locks/organization/kubewright/" +
      "team/1.json: created by anna@laptop (pid 42) at 2026-11-27T02:00:00Z\n",
  );
  expect(commandFailure(error)).toBe(
    "the stack is locked\n  anna has been working on it since 2026-11-27T02:00:00Z (process 42 on laptop)\n  " +
      "wait for that run to finish, or if it no longer exists run `pulumi cancel`",
  );
});
