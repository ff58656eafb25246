import * as pulumi from "@pulumi/pulumi";
import { giveSdk } from "../../components/machines/clouds/sdk";

type Fake = new (name: string, args: object, options?: pulumi.CustomResourceOptions) => pulumi.CustomResource;

/**
 * The clouds' packages and @pulumi/command, as far as a mocked Pulumi needs them: any class, by its name, as a resource
 * of that type. The real ones are not among our dependencies on purpose: of every such package in node_modules Pulumi
 * would download the plugin.
 */
export function fakeClouds(): void {
  giveSdk("@pulumi/hcloud", classes("hcloud", ["ipv4Address", "ipv4"]));
  giveSdk("@pulumi/digitalocean", classes("digitalocean", ["ipv4Address", "ipv4AddressPrivate", "fingerprint", "ip"]));
  const getAmiOutput = (args: { owners: string[]; filters: { values: string[] }[] }) =>
    pulumi.output({ id: `ami of ${args.owners.join()} ${args.filters[0]?.values.join() ?? ""}` });
  giveSdk("@pulumi/command", { remote: classes("command:remote", ["stdout", "stderr"]) });
  giveSdk("@pulumi/aws", {
    ec2: classes("aws:ec2", ["publicIp", "privateIp"], { getAmiOutput }),
    lb: classes("aws:lb", ["dnsName"]),
  });
}

function classes(prefix: string, outputs: string[], more: object = {}): object {
  const unset = Object.fromEntries(outputs.map((name) => [name, undefined]));
  const made = (type: string): Fake =>
    class extends pulumi.CustomResource {
      constructor(name: string, args: object, options?: pulumi.CustomResourceOptions) {
        super(`${prefix}:${type}`, name, { ...unset, ...args }, options);
      }
    };
  return new Proxy(more, {
    get: (target, type) => (type in target ? target[type as keyof typeof target] : made(String(type))),
  });
}
