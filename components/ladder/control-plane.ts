import * as pulumi from "@pulumi/pulumi";
import { apiServerFiles } from "../../render/components/api-server-files";
import { type ArgumentsOptions, type ComponentName, componentArguments } from "../../render/components/arguments";
import { kubeconfig } from "../../render/components/kubeconfig";
import {
  ADMIN_KUBECONFIG,
  CONTROLLER_MANAGER_KUBECONFIG,
  ETCD_DATA,
  ETCD_PKI,
  LADDER_ENCRYPTION_FILE,
  PKI,
  SCHEDULER_KUBECONFIG,
} from "../../render/component-paths";
import { writingConfiguration } from "../../render/encryption";
import type { CertificateName } from "../../render/components/pki";
import { Files } from "../../sdk/host";
import type { EncryptionKeys } from "../../sdk/pki";
import { singleEndpoint } from "../steps/endpoint";
import type { LadderCluster, LadderScope } from "./ladder-cluster";
import { type TextFiles, runComponent } from "./run-component";

export function runEtcd(scope: LadderScope): pulumi.CustomResource {
  const { pki } = scope.context;
  const files = {
    [`${ETCD_PKI}/ca.crt`]: { content: pki.authority("etcd").certificate, mode: "0644" },
    ...pki.files(["etcd-server", "etcd-peer", "etcd-healthcheck-client"]),
  };
  return run(scope, "etcd", files, [ETCD_DATA]);
}

/** @param keys Keys by which Secrets are encrypted, if they are. */
export function runApiServer(scope: LadderScope, keys?: EncryptionKeys["keys"]): pulumi.CustomResource {
  const { pki, components, rung, plan } = scope.context;
  const provider = plan.encryption?.provider ?? "identity";
  const encryption = keys?.apply((all) => writingConfiguration({ provider, keys: all }));
  const publicFile = (content: pulumi.Input<string>) => ({ content, mode: "0644" });
  const tokens = components.staticTokens ?? [];
  const settings = Object.entries(apiServerFiles(tokens, plan.oidc)).map(
    ([path, content]): [string, TextFiles[string]] => [
      path,
      { content: tokens.length > 0 ? pulumi.secret(content) : content, mode: "0600" },
    ],
  );
  const pair = pki.serviceAccounts;
  if (!pair) throw new Error(`rung ${rung} has no key pair for service accounts`);
  const files = {
    [`${PKI}/ca.crt`]: publicFile(pki.authority("cluster").certificate),
    [`${PKI}/front-proxy-ca.crt`]: publicFile(pki.authority("front-proxy").certificate),
    [`${PKI}/sa.pub`]: publicFile(pair.publicKey),
    [`${PKI}/sa.key`]: { content: pair.privateKey, mode: "0600" },
    // The API server shows its CA's certificate, too: a joining node only has that certificate's hash.
    ...pki.files(
      ["apiserver", "apiserver-kubelet-client", "apiserver-etcd-client", "front-proxy-client"],
      ["apiserver"],
    ),
    ...Object.fromEntries(settings),
    ...(encryption ? { [LADDER_ENCRYPTION_FILE]: { content: pulumi.secret(encryption), mode: "0600" } } : {}),
  };
  return run(scope, "kube-apiserver", files);
}

/** Writes the administrator's kubeconfig. From this step on the API can be used. */
export function writeAdminKubeconfig({ member, after, context: ladder }: LadderScope): Files {
  const endpoint = singleEndpoint(ladder.first);
  const content = pulumi.secret(kubeconfigFor(ladder, "admin", "kubernetes-admin", endpoint));
  return new Files(
    member.resourceName("admin"),
    { ...member.onMachine, files: { [ADMIN_KUBECONFIG]: { content, mode: "0600" } } },
    member.options(ladder.controlPlaneGroup, after),
  );
}

export function runScheduler(scope: LadderScope): pulumi.CustomResource {
  const files = clientFiles(scope.context, SCHEDULER_KUBECONFIG, "scheduler", "system:kube-scheduler");
  return run(scope, "kube-scheduler", files);
}

/** Runs the controller manager, which also signs the kubelets' certificates. */
export function runControllerManager(scope: LadderScope): pulumi.CustomResource {
  const files = {
    ...clientFiles(
      scope.context,
      CONTROLLER_MANAGER_KUBECONFIG,
      "controller-manager",
      "system:kube-controller-manager",
    ),
    [`${PKI}/ca.key`]: { content: scope.context.pki.authority("cluster").key, mode: "0600" },
  };
  return run(scope, "kube-controller-manager", files);
}

function run(
  { member, after, context: ladder }: LadderScope,
  name: ComponentName,
  files: TextFiles,
  state?: string[],
): pulumi.CustomResource {
  const flags = argumentsOptions(ladder).apply((options) => componentArguments(name, options));
  const parent = ladder.controlPlaneGroup;
  return runComponent(name, member, { flags, files, after, parent, ...(state ? { state } : {}) });
}

function argumentsOptions({ plan, components, first }: LadderCluster): pulumi.Output<ArgumentsOptions> {
  const { network, controlPlane } = plan;
  const { apiServer = {}, controllerManager = {}, scheduler = {}, etcd = {} } = controlPlane.extraArgs ?? {};
  return pulumi.output(first.address).apply((address) => ({
    clusterName: plan.name,
    nodeName: first.name,
    address,
    serviceCidr: network.serviceCidr,
    podCidr: network.podCidr,
    dnsDomain: network.dnsDomain,
    staticTokens: (components.staticTokens ?? []).length > 0,
    disableAdmission: components.disableAdmission ?? [],
    encryption: plan.encryption !== undefined,
    extraArgs: {
      etcd,
      "kube-apiserver": apiServer,
      "kube-scheduler": scheduler,
      "kube-controller-manager": controllerManager,
    },
  }));
}

/** The kubeconfig of a component that runs beside the API server. */
function clientFiles(ladder: LadderCluster, path: string, certificate: CertificateName, user: string): TextFiles {
  const endpoint = pulumi.interpolate`${ladder.first.address}:6443`;
  return { [path]: { content: kubeconfigFor(ladder, certificate, user, endpoint), mode: "0600" } };
}

function kubeconfigFor(
  { pki, plan }: LadderCluster,
  certificateName: CertificateName,
  user: string,
  endpoint: pulumi.Input<string>,
): pulumi.Output<string> {
  const { certificate, key } = pki.identity(certificateName);
  return pulumi
    .all([pki.authority("cluster").certificate, certificate, key, endpoint])
    .apply(([caCertificate, clientCertificate, clientKey, server]) =>
      kubeconfig({
        clusterName: plan.name,
        server: `https://${server}`,
        caCertificate,
        user,
        identity: { certificate: clientCertificate, key: clientKey },
      }),
    );
}
