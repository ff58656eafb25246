import * as pulumi from "@pulumi/pulumi";
import { Files as HostFiles } from "../../sdk/host";
import { apiServerFiles } from "../../render/components/api-server-files";
import { type ArgumentsOptions, type ComponentName, componentArguments } from "../../render/components/arguments";
import { kubeconfig } from "../../render/components/kubeconfig";
import {
  ADMIN_KUBECONFIG,
  CONTROLLER_MANAGER_KUBECONFIG,
  ETCD_DATA,
  ETCD_PKI,
  PKI,
  SCHEDULER_KUBECONFIG,
} from "../../render/components/paths";
import type { CertificateName, CertificateOptions } from "../../render/components/pki";
import { addressAt, isIpv4 } from "../../render/cidr";
import { type Rung, type RunAs, reaches } from "../../render/rung";
import { nodeAddress } from "../machines/machine";
import { type ClusterHandle, type MemberArgs, addTool } from "../cluster-member";
import type { ComponentsSettings, ControlPlaneSettings } from "../settings";
import { type Files, onHost, place, runComponent } from "./component";
import { Pki } from "./pki";

export interface LadderControlPlaneArgs {
  member: MemberArgs & { settings: ControlPlaneSettings };
  clusterName: string;
  rung: Rung;
  runAs: RunAs;
  components: ComponentsSettings;
  /** The machine, with its kubelet. */
  after: pulumi.Resource[];
}

/** etcd, the API server, the scheduler and the controller manager, as far as the rung goes. Each waits for the one below. */
export class LadderControlPlane extends pulumi.ComponentResource {
  readonly pki: Pki;
  /** `host:port` */
  readonly endpoint: pulumi.Output<string>;
  /** From the API server on. */
  readonly cluster: Omit<ClusterHandle, "podNetwork"> | undefined;
  /** What the API can be used after: it answers, and the administrator's kubeconfig is there. */
  readonly admin: HostFiles | undefined;
  /** The highest of the components. */
  readonly last: pulumi.Resource;

  constructor(
    name: string,
    private readonly args: LadderControlPlaneArgs,
    options?: pulumi.ComponentResourceOptions,
  ) {
    super("kubewright:components:LadderControlPlane", name, {}, options);
    const { member, rung, clusterName } = args;
    const { machine, settings } = member;
    this.endpoint = pulumi.output(settings.endpoint ?? pulumi.interpolate`${nodeAddress(machine)}:6443`);
    this.pki = new Pki(`${clusterName}-pki`, { rung, names: this.names() }, { parent: this });
    const etcd = this.run("etcd", { ...this.etcdFiles() }, args.after, [ETCD_DATA]);
    addTool(member, "etcdctl", etcd, this);
    this.last = etcd;
    if (!reaches(rung, "apiserver")) return;

    const api = this.run("kube-apiserver", this.apiServerFiles(), [etcd]);
    const kubeconfig = pulumi.secret(this.kubeconfigOf("admin", "kubernetes-admin", this.endpoint));
    this.admin = new HostFiles(
      `${machine.name}-admin`,
      { ...onHost(member), files: { [ADMIN_KUBECONFIG]: { content: kubeconfig, mode: "0600" } } },
      place(member, [api], this),
    );
    addTool(member, "kubectl", this.admin, this);
    this.cluster = {
      origin: api,
      caCertHash: this.pki.authority("cluster").hash,
      endpoint: this.endpoint,
      controlPlanes: [member.connection],
    };
    this.last = this.admin;
    if (reaches(rung, "scheduler"))
      this.last = this.run("kube-scheduler", this.client(SCHEDULER_KUBECONFIG, "scheduler", "system:kube-scheduler"), [
        api,
      ]);
    if (!reaches(rung, "controllers")) return;
    const signing = { [`${PKI}/ca.key`]: { content: this.pki.authority("cluster").key, mode: "0600" } };
    const files = {
      ...this.client(CONTROLLER_MANAGER_KUBECONFIG, "controller-manager", "system:kube-controller-manager"),
      ...signing,
    };
    this.last = this.run("kube-controller-manager", files, [api]);
  }

  private run(name: ComponentName, files: Files, after: pulumi.Resource[], state?: string[]): pulumi.CustomResource {
    const { member, runAs } = this.args;
    const flags = pulumi.output(this.argumentsOptions()).apply((known) => componentArguments(name, known));
    return runComponent(name, member, { runAs, flags, files, after, parent: this, ...(state ? { state } : {}) });
  }

  private argumentsOptions(): pulumi.Output<ArgumentsOptions> {
    const { member, clusterName, components } = this.args;
    const { network, machine, settings } = member;
    const { apiServer = {}, controllerManager = {}, scheduler = {}, etcd = {} } = settings.extraArgs ?? {};
    return pulumi.output(nodeAddress(machine)).apply((address) => ({
      clusterName,
      nodeName: machine.name,
      address,
      serviceCidr: network.serviceCidr,
      podCidr: network.podCidr,
      dnsDomain: network.dnsDomain,
      staticTokens: (components.staticTokens ?? []).length > 0,
      disableAdmission: components.disableAdmission ?? [],
      extraArgs: {
        etcd,
        "kube-apiserver": apiServer,
        "kube-scheduler": scheduler,
        "kube-controller-manager": controllerManager,
      },
    }));
  }

  /** Whom the certificates are for. */
  private names(): pulumi.Output<CertificateOptions> {
    const { network, machine } = this.args.member;
    const { serviceCidr, dnsDomain } = network;
    return pulumi.all([machine.address, nodeAddress(machine), this.endpoint]).apply(([address, inside, endpoint]) => {
      const all = [inside, address, endpoint.slice(0, endpoint.lastIndexOf(":"))];
      const addresses = all.filter(isIpv4);
      const dnsNames = all.filter((one) => !isIpv4(one));
      return {
        nodeName: machine.name,
        addresses,
        dnsNames,
        serviceAddress: addressAt(serviceCidr, 1) ?? "",
        dnsDomain,
      };
    });
  }

  private etcdFiles(): Files {
    const ca = { [`${ETCD_PKI}/ca.crt`]: { content: this.pki.authority("etcd").certificate, mode: "0644" } };
    return { ...ca, ...this.pki.files(["etcd-server", "etcd-peer", "etcd-healthcheck-client"]) };
  }

  private apiServerFiles(): Files {
    const { pki } = this;
    const open = (content: pulumi.Input<string>) => ({ content, mode: "0644" });
    const tokens = this.args.components.staticTokens ?? [];
    const own = Object.entries(apiServerFiles(tokens)).map(([path, content]) => [
      path,
      { content: tokens.length > 0 ? pulumi.secret(content) : content, mode: "0600" },
    ]);
    const pair = pki.serviceAccounts;
    if (!pair) throw new Error("service accounts have keys from the API server on");
    return {
      [`${PKI}/ca.crt`]: open(pki.authority("cluster").certificate),
      [`${PKI}/front-proxy-ca.crt`]: open(pki.authority("front-proxy").certificate),
      [`${PKI}/sa.pub`]: open(pair.publicKey),
      [`${PKI}/sa.key`]: { content: pair.privateKey, mode: "0600" },
      // With its CA: a joining node knows no more of that than its hash.
      ...pki.files(
        ["apiserver", "apiserver-kubelet-client", "apiserver-etcd-client", "front-proxy-client"],
        ["apiserver"],
      ),
      ...(Object.fromEntries(own) as Files),
    };
  }

  private client(path: string, certificate: CertificateName, user: string): Files {
    return {
      [path]: {
        content: this.kubeconfigOf(
          certificate,
          user,
          pulumi.interpolate`${nodeAddress(this.args.member.machine)}:6443`,
        ),
        mode: "0600",
      },
    };
  }

  private kubeconfigOf(
    certificate: CertificateName,
    user: string,
    endpoint: pulumi.Input<string>,
  ): pulumi.Output<string> {
    const identity = this.pki.identity(certificate);
    const { clusterName } = this.args;
    return pulumi
      .all([this.pki.authority("cluster").certificate, identity.certificate, identity.key, endpoint])
      .apply(([caCertificate, own, key, server]) =>
        kubeconfig({
          clusterName,
          server: `https://${server}`,
          caCertificate,
          user,
          identity: { certificate: own, key },
        }),
      );
  }
}
