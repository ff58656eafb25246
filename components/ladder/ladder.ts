import * as pulumi from "@pulumi/pulumi";
import { StaticPod } from "../../sdk/host";
import { Manifests, type Node } from "../../sdk/kubernetes";
import type { ClusterAccess } from "../../sdk/local";
import { bootstrapBindings, defaultServiceAccount } from "../../render/components/rbac";
import { HELLO_PORT, helloPod } from "../../render/components/static-pod";
import { pullPolicy } from "../../render/kubeadm";
import { byName, type KubernetesObject } from "../../render/object";
import { type Rung, type RunAs, reaches } from "../../render/rung";
import { slotsOf } from "../machines/docker-slots";
import type { MemberArgs } from "../cluster-member";
import type { ComponentsSettings, ControlPlaneSettings } from "../settings";
import { addDns, addProxy } from "./add-ons";
import { onHost, place } from "./component";
import { LadderControlPlane } from "./control-plane";
import { LadderNode } from "./node";

export interface LadderArgs {
  clusterName: string;
  controlPlane: MemberArgs & { settings: ControlPlaneSettings };
  workers: MemberArgs[];
  components: ComponentsSettings;
}

/**
 * A cluster that is built one component at a time. Each rung is a state that works; what a higher one adds are resources of their own,
 * so that climbing touches nothing that is there, and descending takes off what the rung brought.
 */
export class Ladder extends pulumi.ComponentResource {
  /** None below the API server. */
  readonly access: ClusterAccess | undefined;
  /** By machine name; none below the API server. */
  readonly nodes = new Map<string, Node>();
  private readonly rung: Rung;
  private readonly runAs: RunAs;

  constructor(
    private readonly name: string,
    private readonly args: LadderArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("kubewright:components:Ladder", name, {}, options);
    const { rung = "dns", runAs = "static-pods" } = args.components;
    [this.rung, this.runAs] = [rung, runAs];
    const [first, ...others] = this.machines();
    if (!first) throw new Error("controlPlanes: a cluster has one; give it a machine");
    this.addHello(first);
    const control = reaches(rung, "etcd") ? this.controlPlane(first) : undefined;
    if (control?.cluster && control.admin) {
      const { controlPlanes, caCertHash } = control.cluster;
      this.access = { controlPlanes, caCertHash, after: [control.admin] };
      this.addNodes(control, [first, ...others]);
    }
    this.registerOutputs({});
  }

  private machines(): LadderNode[] {
    const { controlPlane, workers, clusterName } = this.args;
    const { podCidr, nodeMaskSize } = controlPlane.network;
    const parts = 2 ** Math.max(nodeMaskSize - Number(podCidr.split("/")[1]), 0);
    const slots = slotsOf(
      [controlPlane, ...workers].map(({ machine }) => machine.name),
      parts,
    );
    return [controlPlane, ...workers].map((member) => {
      const role = member === controlPlane ? "control-plane" : "worker";
      const args = {
        ...member,
        role,
        clusterName,
        rung: this.rung,
        runAs: this.runAs,
        slot: slots.get(member.machine.name) ?? 0,
      } as const;
      return new LadderNode(member.machine.name, args, { parent: this });
    });
  }

  /** The example of the first rung, which every higher one keeps. */
  private addHello({ setup, bridge }: LadderNode): void {
    const { controlPlane } = this.args;
    const { machine, artifacts, timeouts } = controlPlane;
    const manifest = pulumi.all([artifacts.refs, artifacts.images]).apply(([refs, images]) =>
      helloPod({
        image: refs.busybox,
        imagePullPolicy: pullPolicy(images.kind === "archives"),
        nodeName: machine.name,
      }),
    );
    const health = { scheme: "HTTP", port: HELLO_PORT, path: "/", timeout: timeouts.ready } as const;
    new StaticPod(
      `${machine.name}-hello`,
      { ...onHost(controlPlane), node: machine.name, manifest, files: {}, health, state: [] },
      place(controlPlane, [...setup.ready, setup.images, bridge], this),
    );
  }

  private controlPlane({ setup }: LadderNode): LadderControlPlane {
    const { controlPlane: member, clusterName, components } = this.args;
    const { rung, runAs } = this;
    return new LadderControlPlane(
      `${this.name}-control-plane`,
      { member, clusterName, rung, runAs, components, after: setup.ready },
      { parent: this },
    );
  }

  private addNodes(control: LadderControlPlane, nodes: readonly LadderNode[]): void {
    const { cluster, admin, last } = control;
    if (!cluster || !admin) return;
    const authority = control.pki.authority("cluster");
    const apply = (what: string, objects: readonly KubernetesObject[]) =>
      new Manifests(
        `${this.name}-${what}`,
        { controlPlanes: cluster.controlPlanes, caCertHash: cluster.caCertHash, objects: byName(objects) },
        { parent: this, dependsOn: [admin], deletedWith: cluster.origin },
      );
    const bindings = apply("bindings", bootstrapBindings());
    if (!reaches(this.rung, "controllers")) apply("default-service-account", [defaultServiceAccount()]);
    // Where the controller manager signs, it must be there.
    const signers = reaches(this.rung, "controllers") ? [last] : [];
    for (const one of nodes) this.nodes.set(one.name, one.join(cluster, authority, [bindings, ...signers]));
    const common = { name: this.name, member: this.args.controlPlane, cluster, nodes, after: [last], parent: this };
    if (reaches(this.rung, "proxy")) addProxy({ ...common, hosts: this.members().map(({ host }) => host) });
    if (reaches(this.rung, "dns")) addDns(common);
  }

  private members(): MemberArgs[] {
    return [this.args.controlPlane, ...this.args.workers];
  }
}
