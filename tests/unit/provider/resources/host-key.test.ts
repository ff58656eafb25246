import { expect, test } from "vitest";
import { utils } from "ssh2";
import { hostKeyResource } from "../../../../provider/resources/host-key";
import { sameKey } from "../../../../provider/ssh/host-key";
import { silentContext } from "../../../support/context";

test("a machine gets an ed25519 key pair, whose keys belong together", async () => {
  const { id, outputs } = await hostKeyResource.create(silentContext, { machine: "worker-1" });
  const { privateKey, publicKey } = outputs as { privateKey: string; publicKey: string };
  expect(id).toBe("worker-1/host-key");
  expect(publicKey).toMatch(/^ssh-ed25519 \S+$/);
  const parsed = utils.parseKey(privateKey);
  if (parsed instanceof Error) throw parsed;
  expect(sameKey(publicKey, `ssh-ed25519 ${parsed.getPublicSSH().toString("base64")}`)).toBe(true);
});
