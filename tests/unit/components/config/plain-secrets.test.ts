import { expect, test } from "vitest";
import { plainSecrets } from "../../../../components/config/plain-secrets";

test("a secret in plain text is named by its path, with the command that hides it, and without its value", () => {
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

test("a name that only looks like one is none", () => {
  expect(
    plainSecrets({
      workers: { labels: { team: "token" }, nodes: { password: { labels: {} } } },
      source: "auto",
      extras: true,
    }),
  ).toEqual([]);
});
