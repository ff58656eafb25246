import { expect, test } from "vitest";
import { plainSecrets } from "../../../../components/config/plain-secrets";

test("reports the path of a plain-text secret and the command that encrypts it, without the value", () => {
  const sections = {
    machines: {
      ssh: {
        hosts: [
          { name: "boss", password: "p1" },
          { name: "hand", sudoPassword: "p2", jump: { host: "b", password: "p3" } },
        ],
      },
    },
    pools: { gpu: { hosts: [{ sudoPassword: "p4" }] } },
    auth: { staticTokens: [{ token: "p5", user: "fan" }] },
  };
  const warnings = plainSecrets(sections);
  expect(warnings.map((text) => text.split(" ")[0])).toEqual([
    "machines.ssh.hosts[0].password",
    "machines.ssh.hosts[1].sudoPassword",
    "machines.ssh.hosts[1].jump.password",
    "pools.gpu.hosts[0].sudoPassword",
    "auth.staticTokens[0].token",
  ]);
  expect(warnings[0]).toContain("pulumi config set --secret --path 'machines.ssh.hosts[0].password'");
  expect(warnings.join()).not.toMatch(/p[1-5]/);
});

test("ignores a property whose name only resembles a secret", () => {
  expect(
    plainSecrets({
      workers: { labels: { team: "token" }, nodes: { password: { labels: {} } } },
      source: "auto",
      extras: true,
    }),
  ).toEqual([]);
});
