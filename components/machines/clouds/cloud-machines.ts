import * as pulumi from "@pulumi/pulumi";
import type { Order, Wanted } from "../kind";
import type { Machine } from "../machine";
import { birthOf, bornMachine, clusterKey, vmOptions } from "./user-data";

/** What a program says of a cloud's machines: the cluster's name is the component's. */
export type CloudOrder<Shared, Each> = Omit<Order<Shared, Each>, "avoid" | "cluster">;

/** One machine as it is ordered from a vendor. */
export interface Plan<Each> extends Wanted<Each> {
  /** `dev-worker-1`: the name in an account that has other clusters too. */
  title: string;
  userData: pulumi.Output<string>;
  options: pulumi.CustomResourceOptions;
}

/** What the vendor made of it. */
export type Vm = Required<Pick<Machine, "address" | "privateAddress" | "arch" | "madeBy">>;

/** What stands before the first machine. */
export interface Ground {
  /** What has to be there before a machine can be. */
  after: pulumi.Resource[];
}

/** Machines of a cloud, born with our host key and the cluster's login key. What is a vendor's own is said by the class of the vendor. */
export abstract class CloudMachines<Shared, Each, G extends Ground> extends pulumi.ComponentResource {
  abstract readonly machines: Machine[];
  /** Inputs of a machine that count when it is made, and never again. */
  protected abstract readonly onlyAtBirth: string[];
  protected readonly child: { parent: pulumi.Resource } = { parent: this };

  constructor(
    type: string,
    protected readonly cluster: string,
    protected readonly order: CloudOrder<Shared, Each>,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super(`kubewright:components:${type}`, cluster, {}, options);
  }

  /** The login key, the network, and the firewall where that names no machine. */
  protected abstract ground(publicKey: pulumi.Output<string>): G;
  protected abstract vm(plan: Plan<Each>, ground: G): Vm;

  /** For the vendor's constructor. */
  protected build(): Machine[] {
    const {
      cluster,
      order: { machines, folder, turns },
    } = this;
    const key = clusterKey(cluster, folder, this);
    const ground = this.ground(key.publicKey);
    return machines.map((wanted) => {
      const { name } = wanted;
      const birth = birthOf(name, key, this);
      const options = vmOptions(this, ground.after, this.onlyAtBirth, name, turns);
      return bornMachine(
        name,
        key,
        birth,
        this.vm({ ...wanted, title: `${cluster}-${name}`, userData: birth.userData, options }, ground),
      );
    });
  }
}
