import { expect, test } from "vitest";
import { withoutOutputsOfKey } from "../../support/secret-search";

const KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nthe secret\n-----END OPENSSH PRIVATE KEY-----\n";
const entry = (type: string) =>
  `I1127 08:00:00.000001 1 rpc.go:77] Marshaling property for RPC[${type}]: privateKey={${KEY}}\n`;

test("the private key may be in log entries on the SSH key, and in no other", () => {
  const log = withoutOutputsOfKey(
    entry("kubewright:local:SshKey") + entry("kubewright:host:Host") + entry("kubewright:local:SshKey"),
  );
  expect(log.match(/PRIVATE KEY-----\nthe secret/g)).toHaveLength(1);
  expect(log).toContain(entry("kubewright:host:Host"));
});
