import * as pulumi from "@pulumi/pulumi";
import { APPROVER_SCRIPT, APPROVER_TIMER, approverFiles } from "../../render/kubelet-serving";
import { octal } from "../../render/node-files";
import { Unit } from "../../sdk/host";
import { type ControlPlaneArgs, KubeletAuthority } from "../../sdk/kubernetes";
import { apiAccess, inCluster } from "./cluster-handle";
import { controlPlanesOf } from "./endpoint";
import type { ClusterMember, ClusterPlan } from "./member";
import type { ClusterScope, MachineScope } from "./step";

/** Whether the cluster's CA signs the certificates that kubelets serve. */
export function hasServingCertificates({ plan }: Pick<ClusterMember, "plan">): boolean {
  return plan.kubeletServing !== "self-signed";
}

/** Whether the API servers verify the certificates of kubelets. */
export function hasVerifiedKubelets({ plan }: Pick<ClusterMember, "plan">): boolean {
  return plan.kubeletServing === "cluster";
}

export function kubeletCertificates({ kubeletServing }: ClusterPlan): Pick<ControlPlaneArgs, "kubeletCertificates"> {
  if (kubeletServing === "self-signed") return {};
  return { kubeletCertificates: kubeletServing === "cluster" ? "verified" : "unverified" };
}

/** The addresses with which the node's kubelet registers; undefined if its certificate is self-signed. */
export function servingAddresses(member: ClusterMember): pulumi.Output<string[]> | undefined {
  if (!hasServingCertificates(member)) return undefined;
  const own = member.settings.kubeletArgs?.["node-ip"]?.split(",");
  return pulumi.output(member.address).apply((address) => own ?? [address]);
}

/** Approves the requests of kubelets that renew their certificates between two runs. */
export function installApprover({ member, after }: MachineScope): Unit {
  const { members } = member.plan;
  const files = pulumi
    .all(members.map((one) => servingAddresses(one) ?? []))
    .apply((all) => octal(approverFiles(members.map(({ name }, index) => ({ name, addresses: all[index] ?? [] })))));
  return new Unit(
    member.resourceName("kubelet-approver"),
    {
      ...member.onMachine,
      unit: APPROVER_TIMER,
      files,
      enabled: true,
      running: true,
      probe: `sh ${APPROVER_SCRIPT} check`,
    },
    member.options(member.groups.node, after),
  );
}

/** Lets the API servers verify kubelets, once every kubelet has a certificate of the cluster's CA. */
export function verifyKubelets({ member, after, cluster }: ClusterScope): KubeletAuthority {
  const { plan } = member;
  return new KubeletAuthority(
    `${plan.name}-kubelet-authority`,
    { ...apiAccess(cluster), nodes: controlPlanesOf(plan).map(({ name }) => name) },
    inCluster(cluster, member.groups.node, after),
  );
}
