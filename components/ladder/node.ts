import * as pulumi from "@pulumi/pulumi";
import { optional } from "../../common/optional";
import { bridgeFiles, bridgeProbe } from "../../render/components/bridge";
import { clusterFiles } from "../../render/standalone-kubelet";
import { helloPod } from "../../render/components/static-pod";
import { HELLO_PORT } from "../../render/preflight-ports";
import { pullPolicy } from "../../render/kubeadm";
import type { LeftoverComponent } from "../../render/leftovers";
import { octal } from "../../render/node-files";
import { Leftovers, StaticPod, Unit } from "../../sdk/host";
import { KubeletJoin, type Node } from "../../sdk/kubernetes";
import { addNode } from "../steps/node";
import type { MachineScope } from "../steps/step";
import { type LadderScope, dnsAddress } from "./ladder-cluster";

/**
 * Cleans up what a component leaves on the machine. The cleanup runs when this resource is deleted: after the
 * component itself.
 */
export function cleanUpAfter(component: LeftoverComponent): (scope: MachineScope) => Leftovers {
  const suffix = component === "kubelet" ? "remains" : `${component}-remains`;
  return ({ member, after }) =>
    new Leftovers(
      member.resourceName(suffix),
      { ...member.onMachine, of: component },
      member.options(member.groups.node, after),
    );
}

/** The network of the pods on one machine. */
export function installBridge({ member, after, context: ladder }: LadderScope): Unit {
  const { podCidr } = ladder.plan.network;
  return new Unit(
    member.resourceName("bridge"),
    {
      ...member.onMachine,
      unit: "kubewright-bridge.service",
      files: octal(bridgeFiles({ range: ladder.podRange(member), podCidr })),
      enabled: true,
      running: true,
      probe: bridgeProbe(),
    },
    member.options(member.groups.node, after),
  );
}

/** Runs the example of the first rung, a static pod. Every higher rung keeps it. */
export function runHelloPod({ member, after, context: ladder }: LadderScope): StaticPod {
  const { artifacts, plan } = member;
  const manifest = pulumi.all([artifacts.refs, artifacts.images]).apply(([refs, images]) =>
    helloPod({
      image: refs.busybox,
      imagePullPolicy: pullPolicy(images.kind === "archives"),
      nodeName: member.name,
    }),
  );
  const health = { scheme: "HTTP", port: HELLO_PORT, path: "/", timeout: plan.timeouts.ready } as const;
  return new StaticPod(
    member.resourceName("hello"),
    { ...member.onMachine, node: member.name, manifest, files: {}, health, state: [] },
    member.options(ladder.group, after),
  );
}

/** Joins the machine's kubelet by TLS bootstrap. Kubewright signs its certificate where no controller manager does. */
export function joinKubelet({ member, after, cluster, context: ladder }: LadderScope): KubeletJoin {
  const { network, timeouts, name } = ladder.plan;
  const { certificate, key } = ladder.pki.authority("cluster");
  return new KubeletJoin(
    member.resourceName("join"),
    {
      ...member.onMachine,
      controlPlanes: cluster.controlPlanes,
      node: member.name,
      clusterName: name,
      endpoint: cluster.endpoint,
      ...optional({
        ranges: member.isFirst ? { podCidr: network.podCidr, serviceCidr: network.serviceCidr } : undefined,
      }),
      caCertHash: cluster.caCertHash,
      files: octal(clusterFiles({ dnsDomain: network.dnsDomain, clusterDns: dnsAddress(network.serviceCidr) })),
      ...optional({ signer: ladder.hasControllers ? undefined : { certificate, key } }),
      timeout: timeouts.join,
    },
    member.options(member.groups.node, after),
  );
}

export function addLadderNode(scope: LadderScope, membership: KubeletJoin): Node {
  const { member, context: ladder } = scope;
  return addNode(scope, {
    membership: membership.id,
    withoutControllers: {
      podCidr: ladder.podRange(member),
      ...optional({ uncontrolled: ladder.hasControllers ? undefined : true }),
    },
    labels: member.isControlPlane ? { "node-role.kubernetes.io/control-plane": "" } : {},
  });
}
