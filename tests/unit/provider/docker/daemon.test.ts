import { describe, expect, it } from "vitest";
import { lastWords } from "../../../../provider/docker/command";
import { daemonEnvironment, dockerdArguments } from "../../../../provider/docker/daemon";
import { shortageOf } from "../../../../provider/docker/inotify";
import { derivesMac, refusal } from "../../../../provider/docker/probe";
import { dockerResources } from "../../../../provider/docker/resources";
import { createProviderContext } from "../../../../provider/context";

describe("what the daemon can do", () => {
  it("tells complaints apart", () => {
    expect(refusal('invalid mount config for type "bind": bind source path does not exist: /lib/modules')).toBe(
      "hostModules",
    );
    expect(
      refusal("runc create failed: unable to start container process: unable to apply caps: operation not permitted"),
    ).toBe("sysResource");
    expect(refusal("No such image: x")).toBeUndefined();
  });

  it("knows since when a MAC address is the client's to set", () => {
    expect([derivesMac("1.41"), derivesMac("1.43"), derivesMac("1.44"), derivesMac("2.0")]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it("asks dockerd for no negative OOM score where that is not granted", () => {
    expect(dockerdArguments(true)).toEqual([]);
    expect(dockerdArguments(false)).toEqual(["--oom-score-adjust", "0"]);
  });
});

describe("daemonEnvironment", () => {
  it("hands on proxies, and nothing else of ours", () => {
    expect(
      daemonEnvironment({ PULUMI_CONFIG_PASSPHRASE: "x", HTTPS_PROXY: "p", no_proxy: "n", PATH: "/home/me/bin" }),
    ).toEqual({
      HTTPS_PROXY: "p",
      no_proxy: "n",
      PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    });
  });
});

describe("messages", () => {
  it("says when inotify instances run short", () => {
    expect(shortageOf(8192, 10)).toBeUndefined();
    expect(shortageOf(Number.NaN, 3)).toBeUndefined();
    expect(shortageOf(128, 20)).toContain("128 inotify instances, too few for 20 machines");
  });

  it("keeps a program's last words", () => {
    expect(lastWords("a\nb\n\nc\nd\nSee 'docker run --help'.\n")).toBe("b | c | d");
  });
});

describe("schemas", () => {
  const problems = (kind: string, inputs: object) => {
    const parsed = dockerResources[`kubewright:docker:${kind}`]?.schema.safeParse(inputs);
    return (parsed?.error?.issues ?? []).map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  };
  const machine = { stack: "s", hostname: "a", image: "i", network: "n", index: 0, authorizedKey: "ssh-ed25519 AAAA" };

  it("accepts what is right", () => {
    expect(problems("Machine", machine)).toEqual([]);
    expect(problems("Network", { stack: "s", avoid: ["10.0.0.0/8", "fd00::/64"] })).toEqual([]);
    expect(problems("Image", {})).toEqual([]);
  });

  it("refuses what is wrong, with its path", () => {
    expect(problems("Machine", { ...machine, fixedAddress: "172.20.0.5" })).toEqual([
      "fixedAddress: give either `fixedAddress` or `index`",
    ]);
    expect(problems("Machine", { ...machine, hostname: "A_b", memory: 5 })).toEqual([
      "hostname: must be lower-case letters, digits and inner dashes, 63 at most",
      "memory: is in MiB, and 128 at least",
    ]);
    expect(problems("Network", { stack: "s", subnet: "10.0.0.0" })).toEqual([
      "subnet: must be an IPv4 CIDR, such as 172.30.0.0/24",
    ]);
    expect(problems("Image", { recipe: "magic" })).toHaveLength(1);
  });

  it("refuses a subnet that overlaps with what it should avoid", () => {
    const check = dockerResources["kubewright:docker:Network"]?.check;
    expect(check?.({ subnet: "10.244.3.0/24", avoid: ["10.244.0.0/16"] }, createProviderContext())).toEqual([
      { path: "subnet", reason: "overlaps with 10.244.0.0/16" },
    ]);
  });
});
