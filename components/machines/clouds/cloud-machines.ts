import * as pulumi from "@pulumi/pulumi";
import type { z } from "zod";
import { type MachineOrder, type MachineSpec, type MachinesArgs, orderOf, replacementOf, turnOf } from "../kind";
import type { ApiLoadBalancer } from "../api-load-balancer";
import type { Machine } from "../machine";
import { cloudMachine, createFirstBoot, createLoginKey } from "./user-data";

/** One machine as it is ordered from the cloud. */
export interface VmPlan<Each> extends MachineSpec<Each> {
  /** Name in the cloud's account, which may have other clusters, too: `dev-worker-1`. */
  title: string;
  userData: pulumi.Output<string>;
  options: pulumi.CustomResourceOptions;
}

/** The machine that the cloud created. */
export interface Vm extends Required<Pick<Machine, "host" | "privateAddress" | "arch">> {
  madeBy: pulumi.CustomResource;
}

/** A control plane to which the load balancer forwards connections. */
export interface BalancedMachine {
  /** Name of the machine. */
  name: string;
  resource: pulumi.CustomResource;
}

/** Arguments of a component that creates machines of a cloud, for programs without the project's configuration. */
export interface CloudMachinesArgs<Shared extends z.ZodRawShape, Each extends z.ZodRawShape> extends MachinesArgs<
  Shared,
  Each
> {
  /**
   * Whether to create the cloud's load balancer for the API servers. Pass `apiEndpoint` of the component to the
   * `Cluster` as `controlPlane.endpoint`.
   * @default false
   */
  loadBalancer?: boolean;
}

/** What all machines of a cluster share in the cloud. */
export interface SharedInfrastructure {
  /** Resources that must exist before the first machine. */
  after: pulumi.Resource[];
}

type Settings<Shape extends z.ZodRawShape> = z.output<z.ZodObject<Shape>>;

/**
 * Machines of a cloud, created with a host key and the cluster's login key, so that the first SSH connection is
 * verified already. A subclass for each cloud creates the shared infrastructure and the machines.
 */
export abstract class CloudMachines<
  Shared extends z.ZodRawShape,
  Each extends z.ZodRawShape,
  Infrastructure extends SharedInfrastructure,
>
  extends pulumi.ComponentResource
{
  abstract readonly machines: Machine[];
  /** The load balancer of the API servers; undefined unless the arguments order it. */
  loadBalancer: ApiLoadBalancer | undefined;
  /** Arguments of a machine that only matter when it is created: a change of them does not replace it. */
  protected abstract readonly onlyAtCreation: string[];
  protected readonly child: { parent: pulumi.Resource } = { parent: this };
  protected readonly order: Omit<MachineOrder<Settings<Shared>, Settings<Each>>, "avoid">;

  /** @param shapes Settings of the kind, with their defaults. */
  constructor(
    type: string,
    protected readonly cluster: string,
    shapes: { shared: Shared; each: Each },
    args: CloudMachinesArgs<Shared, Each>,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super(`kubewright:components:${type}`, cluster, {}, options);
    this.order = orderOf(shapes, cluster, args);
  }

  /** Creates the login key, the network, and the firewall unless it refers to the machines. */
  protected abstract createInfrastructure(publicKey: pulumi.Output<string>): Infrastructure;
  protected abstract createVm(plan: VmPlan<Settings<Each>>, infrastructure: Infrastructure): Vm;
  /**
   * Creates a load balancer that forwards connections to the port of the API server to every control plane, checks
   * /readyz of each, and reaches them over the private network. It keeps its address when the control planes change.
   */
  protected abstract createLoadBalancer(
    infrastructure: Infrastructure,
    controlPlanes: readonly BalancedMachine[],
  ): ApiLoadBalancer;

  /**
   * The load balancer of the API servers, for `controlPlane.endpoint` of the `Cluster`.
   * @throws pulumi.RunError if the arguments do not order it
   */
  get apiEndpoint(): ApiLoadBalancer {
    if (this.loadBalancer) return this.loadBalancer;
    throw new pulumi.RunError(
      `machines of ${this.cluster}: there is no load balancer, so there is no apiEndpoint; set loadBalancer: true`,
    );
  }

  /** Creates all machines. The subclass's constructor calls it, once its own fields are set. */
  protected createMachines(): Machine[] {
    const { cluster, order } = this;
    const key = createLoginKey(cluster, order.folder, this);
    const infrastructure = this.createInfrastructure(key.publicKey);
    const created = order.machines.map((spec) => {
      const { name } = spec;
      const firstBoot = createFirstBoot(name, key, this);
      const options = this.vmOptions(name, infrastructure.after);
      const plan = { ...spec, title: `${cluster}-${name}`, userData: firstBoot.userData, options };
      return { ...spec, firstBoot, vm: this.createVm(plan, infrastructure) };
    });
    if (order.loadBalancer === true)
      this.loadBalancer = this.createLoadBalancer(
        infrastructure,
        this.controlPlanesOf(created.map(({ name, role, vm }) => ({ name, role, resource: vm.madeBy }))),
      );
    return created.map(({ name, firstBoot, vm }) => cloudMachine(name, key, firstBoot, vm));
  }

  private controlPlanesOf(machines: readonly (BalancedMachine & { role: string })[]): BalancedMachine[] {
    const controlPlanes = machines.filter(({ role }) => role === "control-plane");
    if (controlPlanes.length > 0) return controlPlanes;
    throw new pulumi.RunError(
      `machines of ${this.cluster}: a load balancer needs a control plane; ` +
        "give at least one machine role: control-plane, or leave out loadBalancer",
    );
  }

  private vmOptions(name: string, after: pulumi.Resource[]): pulumi.CustomResourceOptions {
    const turn = turnOf(name, this.order);
    const dependsOn = turn ? turn.then((resources) => [...resources, ...after]) : Promise.resolve(after);
    const replacement = replacementOf(name, this.order);
    return { parent: this, deleteBeforeReplace: true, ignoreChanges: this.onlyAtCreation, dependsOn, ...replacement };
  }
}
