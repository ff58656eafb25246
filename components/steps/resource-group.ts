import * as pulumi from "@pulumi/pulumi";

/** A component that only groups resources in the tree that `pulumi up` shows. */
export class ResourceGroup extends pulumi.ComponentResource {
  constructor(type: string, name: string, parent: pulumi.Resource) {
    super(`kubewright:components:${type}`, name, {}, { parent });
    this.registerOutputs({});
  }
}
