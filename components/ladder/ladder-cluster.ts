import * as pulumi from "@pulumi/pulumi";
import { addressAt, isIpv4, subnetAt } from "../../render/cidr";
import type { CertificateOptions } from "../../render/components/pki";
import { type Rung, reaches } from "../../render/rung";
import { assignSlots } from "../machines/slots";
import type { ClusterMember, ClusterPlan, MemberGroups } from "../steps/member";
import { ResourceGroup } from "../steps/resource-group";
import type { ClusterScope } from "../steps/step";
import type { ComponentsSettings } from "../nodes/settings";
import { singleEndpoint } from "../steps/endpoint";
import { Pki } from "./pki";

/** What the steps of a cluster that is built one component at a time have in common. */
export class LadderCluster {
  readonly rung: Rung;
  readonly group: ResourceGroup;
  private controlPlane: { group: ResourceGroup; pki: Pki } | undefined;

  constructor(
    readonly plan: ClusterPlan,
    readonly components: ComponentsSettings,
  ) {
    this.rung = components.rung ?? "dns";
    this.group = new ResourceGroup("Ladder", plan.name, plan.cluster);
  }

  groupsOf(member: ClusterMember): MemberGroups {
    const name = this.plan.resourceName(member.name);
    const node = new ResourceGroup("LadderNode", name, this.group);
    return { node, setup: new ResourceGroup("NodeSetup", name, node), controlPlane: () => this.controlPlaneGroup };
  }

  /** Parent of the control plane's components. */
  get controlPlaneGroup(): ResourceGroup {
    return this.makeControlPlane().group;
  }

  get pki(): Pki {
    return this.makeControlPlane().pki;
  }

  get hasControllers(): boolean {
    return reaches(this.rung, "controllers");
  }

  /** The machine of the control plane. */
  get first(): ClusterMember {
    return this.plan.members[0];
  }

  /**
   * The part of the pod range from which the machine's pods get their addresses. It does not change when other
   * machines come or go.
   */
  podRange(member: ClusterMember): string {
    const { podCidr, nodeMaskSize, plugin } = this.plan.network;
    if (plugin === "bridge") return podCidr;
    const parts = 2 ** Math.max(nodeMaskSize - Number(podCidr.split("/")[1]), 0);
    const slots = assignSlots(
      this.plan.members.map(({ name }) => name),
      parts,
    );
    return subnetAt(podCidr, nodeMaskSize, slots.get(member.name) ?? 0) ?? podCidr;
  }

  private makeControlPlane(): { group: ResourceGroup; pki: Pki } {
    if (this.controlPlane) return this.controlPlane;
    const { name } = this.plan;
    const group = new ResourceGroup("LadderControlPlane", `${name}-control-plane`, this.group);
    const pki = new Pki(`${name}-pki`, { rung: this.rung, names: this.certificateNames() }, { parent: group });
    this.controlPlane = { group, pki };
    return this.controlPlane;
  }

  /** Names and addresses for which the certificates are valid. */
  private certificateNames(): pulumi.Output<CertificateOptions> {
    const { first, plan } = this;
    const { serviceCidr, dnsDomain } = plan.network;
    return pulumi.all([first.machine.host, first.address, singleEndpoint(first)]).apply(([host, address, endpoint]) => {
      const names = [address, host, endpoint.slice(0, endpoint.lastIndexOf(":"))];
      return {
        nodeName: first.name,
        addresses: names.filter(isIpv4),
        dnsNames: names.filter((name) => !isIpv4(name)),
        serviceAddress: addressAt(serviceCidr, 1) ?? "",
        dnsDomain,
      };
    });
  }
}

/** What the ladder's steps may use. */
export interface LadderScope extends ClusterScope {
  context: LadderCluster;
}

/** The cluster DNS's address: the tenth of the service range, as with kubeadm. */
export function dnsAddress(serviceCidr: string): string {
  return addressAt(serviceCidr, 10) ?? "";
}
