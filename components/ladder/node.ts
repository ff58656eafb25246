import * as pulumi from "@pulumi/pulumi";
import { Leftovers, Unit } from "../../sdk/host";
import { KubeletJoin, type Node } from "../../sdk/kubernetes";
import type { Authority } from "../../sdk/pki";
import { addressAt, partAt } from "../../render/cidr";
import { bridgeFiles } from "../../render/components/bridge";
import { clusterFiles } from "../../render/components/kubelet";
import { octal } from "../../render/node-files";
import type { MachineRole } from "../../render/preflight";
import type { Leaver } from "../../render/leftovers";
import { type Rung, type RunAs, reaches } from "../../render/rung";
import { type ClusterHandle, type MemberArgs, node, setUp } from "../cluster-member";
import type { NodeSetup } from "../node-setup";
import { onHost, place } from "./component";

export interface LadderNodeArgs extends MemberArgs {
  role: MachineRole;
  clusterName: string;
  rung: Rung;
  runAs: RunAs;
  /** Which part of the pod range is the machine's; the same for a machine that is made anew. */
  slot: number;
}

/** A machine with a runtime, a kubelet and a network of its own for its pods; from the API server on, a node. */
export class LadderNode extends pulumi.ComponentResource {
  readonly setup: NodeSetup;
  readonly bridge: Unit;
  /** What those whose pods work on the machine itself leave on it. */
  readonly remains: Partial<Record<Leaver, Leftovers>>;
  /** The machine's part of the pod range. */
  readonly range: string;

  constructor(
    readonly name: string,
    private readonly args: LadderNodeArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("kubewright:components:LadderNode", name, {}, options);
    const { network, role, rung, runAs } = args;
    const alone = network.plugin === "bridge";
    this.range = alone
      ? network.podCidr
      : (partAt(network.podCidr, network.nodeMaskSize, args.slot) ?? network.podCidr);
    const last = new Leftovers(
      `${name}-remains`,
      { ...onHost(args), of: "kubelet" },
      place(args, [args.preflight], this),
    );
    this.setup = setUp(name, role, args, this, { after: [last], components: { runAs } });
    this.bridge = new Unit(
      `${name}-bridge`,
      {
        ...onHost(args),
        unit: "kubewright-bridge.service",
        files: octal(bridgeFiles({ range: this.range, podCidr: network.podCidr })),
        enabled: true,
        running: true,
      },
      place(args, [this.setup.packages, last], this),
    );
    const leavers: [Leaver, boolean][] = [
      ["kube-proxy", reaches(rung, "proxy")],
      ["flannel", reaches(rung, "dns") && !alone],
    ];
    this.remains = Object.fromEntries(
      leavers
        .filter(([, there]) => there)
        .map(([of]) => [
          of,
          new Leftovers(`${name}-${of}-remains`, { ...onHost(args), of }, place(args, this.setup.ready, this)),
        ]),
    );
    this.registerOutputs({});
  }

  /** Makes it a node of the cluster. `authority` signs its certificate where no controller manager does. */
  join(cluster: Omit<ClusterHandle, "podNetwork">, authority: Authority, after: pulumi.Resource[]): Node {
    const { clusterName, network, rung, role, timeouts } = this.args;
    const controlled = reaches(rung, "controllers");
    const { dnsDomain, serviceCidr } = network;
    const joined = new KubeletJoin(
      `${this.name}-join`,
      {
        ...onHost(this.args),
        controlPlanes: cluster.controlPlanes,
        node: this.name,
        clusterName,
        endpoint: cluster.endpoint,
        caCertHash: cluster.caCertHash,
        files: octal(clusterFiles({ dnsDomain, clusterDns: dnsAddress(serviceCidr) })),
        ...(controlled ? {} : { signer: { certificate: authority.certificate, key: authority.key } }),
        timeout: timeouts.join,
      },
      // Leftovers are taken off once the kubelet has ended the cluster's pods.
      place(this.args, [...after, ...this.setup.ready, ...Object.values(this.remains)], this),
    );
    return node(this.args, { ...cluster, podNetwork: this.bridge }, joined, this.setup.images, this, {
      standIn: { podCidr: this.range, ...(controlled ? {} : { uncontrolled: true }) },
      labels: role === "control-plane" ? { "node-role.kubernetes.io/control-plane": "" } : {},
    });
  }
}

/** The tenth address of the service range, as everywhere. */
export function dnsAddress(serviceCidr: string): string {
  return addressAt(serviceCidr, 10) ?? "";
}
