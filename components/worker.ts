import * as pulumi from "@pulumi/pulumi";
import type { Node } from "../sdk/kubernetes";
import { type ClusterHandle, type MemberArgs, join, node, setUp } from "./cluster-member";

export interface WorkerArgs extends MemberArgs {
  cluster: ClusterHandle;
}

/** A machine that runs pods. It prepares itself while the control plane starts, and only the join waits for it. */
export class Worker extends pulumi.ComponentResource {
  readonly node: Node;

  constructor(name: string, args: WorkerArgs, options?: pulumi.ComponentResourceOptions) {
    super("kubewright:components:Worker", name, {}, options);
    const setup = setUp(name, "worker", args, this);
    const joined = join(args, "worker", args.cluster, setup.ready, this);
    this.node = node(args, args.cluster, joined, setup.images, this);
    this.registerOutputs({});
  }
}
