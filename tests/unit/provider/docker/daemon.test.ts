import { describe, expect, it } from "vitest";

import { dockerEnvironment, dockerdArguments } from "../../../../provider/docker/daemon";
import { inotifyShortage } from "../../../../provider/docker/inotify";
import { canDeriveMac, refusedTrait } from "../../../../provider/docker/probe";
import { dockerResources } from "../../../../provider/resources/docker/resources";
import { registryOf } from "../../../../provider/rpc/handler";
import { createProviderContext } from "../../../../provider/context/context";

describe("the Docker host", () => {
  it("recognizes the refused trait in an error message", () => {
    expect(refusedTrait('invalid mount config for type "bind": bind source path does not exist: /lib/modules')).toBe(
      "hostModules",
    );
    expect(
      refusedTrait(
        "runc create failed: unable to start container process: unable to apply caps: operation not permitted",
      ),
    ).toBe("sysResource");
    expect(refusedTrait("No such image: x")).toBeUndefined();
  });

  it("knows the API version since which clients set MAC addresses", () => {
    expect([canDeriveMac("1.41"), canDeriveMac("1.43"), canDeriveMac("1.44"), canDeriveMac("2.0")]).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it("does not let dockerd lower its OOM score without CAP_SYS_RESOURCE", () => {
    expect(dockerdArguments(true)).toEqual([]);
    expect(dockerdArguments(false)).toEqual(["--oom-score-adjust", "0"]);
  });
});

describe("dockerEnvironment", () => {
  it("has DOCKER_HOST and the proxy settings, and no other variable", () => {
    expect(
      dockerEnvironment({ PULUMI_CONFIG_PASSPHRASE: "x", HTTPS_PROXY: "p", no_proxy: "n", DOCKER_HOST: "tcp://a" }),
    ).toEqual({ host: "tcp://a", proxies: { HTTPS_PROXY: "p", no_proxy: "n" } });
  });
});

describe("messages", () => {
  it("warns when there are too few inotify instances", () => {
    expect(inotifyShortage(8192, 10)).toBeUndefined();
    expect(inotifyShortage(Number.NaN, 3)).toBeUndefined();
    expect(inotifyShortage(128, 20)).toContain("128 inotify instances, too few for 20 machines");
  });
});

describe("schemas", () => {
  const problems = (kind: string, inputs: object) => {
    const parsed = registryOf(dockerResources)[`kubewright:docker:${kind}`]?.contract.inputs.safeParse(inputs);
    return (parsed?.error?.issues ?? []).map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  };
  const machine = { stack: "s", hostname: "a", image: "i", network: "n", index: 0, authorizedKey: "ssh-ed25519 AAAA" };

  it("accepts valid inputs", () => {
    expect(problems("Machine", machine)).toEqual([]);
    expect(problems("Network", { stack: "s", avoid: ["10.0.0.0/8", "fd00::/64"] })).toEqual([]);
    expect(problems("Image", {})).toEqual([]);
  });

  it("refuses invalid inputs, with their paths", () => {
    expect(problems("Machine", { ...machine, fixedAddress: "172.20.0.5" })).toEqual([
      "fixedAddress: give either `fixedAddress` or `index`",
    ]);
    expect(problems("Machine", { ...machine, hostname: "A_b", memory: 5 })).toEqual([
      "hostname: must be lower-case letters, digits and inner dashes, at most 63",
      "memory: must be at least 128 (MiB)",
    ]);
    expect(problems("Network", { stack: "s", subnet: "10.0.0.0" })).toEqual([
      "subnet: must be an IPv4 CIDR, such as 172.30.0.0/24",
    ]);
    expect(problems("Image", { recipe: "magic" })).toHaveLength(1);
  });

  it("refuses a subnet that overlaps a range to avoid", () => {
    const check = registryOf(dockerResources)["kubewright:docker:Network"]?.check;
    expect(check?.({ subnet: "10.244.3.0/24", avoid: ["10.244.0.0/16"] }, createProviderContext())).toEqual([
      { path: "subnet", reason: "overlaps with 10.244.0.0/16" },
    ]);
  });
});
