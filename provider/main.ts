import { version } from "../package.json";
import { dockerEnvironment } from "./docker/daemon";
import { dockerResources } from "./resources/docker/resources";
import { kubeconfigCall } from "./kubeadm/kubeconfig-call";
import { createProviderContext } from "./context/context";
import { configuredSettings } from "./rpc/provider-configuration";
import type { Properties } from "./rpc/values";
import { callsOf } from "./rpc/calls";
import { registryOf } from "./rpc/handler";
import { serve } from "./rpc/serve";
import { DEFAULT_SETTINGS, type ProviderSettings } from "./settings/settings";
import { noTrace, traceTo } from "./settings/trace";
import { artifactsResource } from "./resources/artifacts";
import { authorityResource } from "./resources/authority";
import { binariesResource } from "./resources/binaries";
import { certificateResource } from "./resources/certificate";
import { filesResource } from "./resources/files";
import { firewallResource } from "./resources/firewall";
import { hostResource } from "./resources/host";
import { hostKeyResource } from "./resources/host-key";
import { hostsResource } from "./resources/etc-hosts";
import { imagesResource } from "./resources/images";
import { keyPairResource } from "./resources/key-pair";
import { kernelResource } from "./resources/kernel";
import { kubeadmInitResource } from "./resources/kubeadm-init";
import { kubeadmJoinResource } from "./resources/kubeadm-join";
import { kubeletJoinResource } from "./resources/kubelet-join";
import { kubeconfigResource } from "./resources/kubeconfig";
import { manifestsResource } from "./resources/manifests";
import { nodeResource } from "./resources/node";
import { packagesResource } from "./resources/packages";
import { preflightResource } from "./resources/preflight";
import { leftoversResource } from "./resources/leftovers";
import { rolloutResource } from "./resources/rollout";
import { rosterResource } from "./resources/roster";
import { sshKeyResource } from "./resources/ssh-key";
import { staticPodResource } from "./resources/static-pod";
import { unitResource } from "./resources/unit";
import { vagrantResources } from "./resources/vagrant/resources";
import { NO_PREVIEW_NOTES, previewNotes } from "./preview/preview-notes";

/** The only place where the provider reads its environment. */
const { KUBEWRIGHT_CONNECTIONS, KUBEWRIGHT_TRACE, SSH_AUTH_SOCK, [NO_PREVIEW_NOTES]: noPreviewNotes } = process.env;

const settings: ProviderSettings = {
  ...DEFAULT_SETTINGS,
  connectionLimit: Number(KUBEWRIGHT_CONNECTIONS) || DEFAULT_SETTINGS.connectionLimit,
  agentSocket: SSH_AUTH_SOCK,
  dockerEnvironment: dockerEnvironment(process.env),
};

const context = createProviderContext(settings, {
  trace: KUBEWRIGHT_TRACE ? traceTo(KUBEWRIGHT_TRACE) : noTrace,
});

/** Called at the beginning of each run. */
function configure(configuration: Properties): void {
  Object.assign(settings, configuredSettings(configuration));
  context.connections.forgetFailures();
}

void serve({
  context,
  configure,
  name: "kubewright",
  version,
  describeChange: noPreviewNotes ? undefined : previewNotes,
  calls: callsOf([kubeconfigCall]),
  resources: registryOf([
    ...dockerResources,
    ...vagrantResources,
    artifactsResource,
    sshKeyResource,
    hostKeyResource,
    kubeconfigResource,
    hostResource,
    packagesResource,
    kernelResource,
    binariesResource,
    filesResource,
    unitResource,
    imagesResource,
    staticPodResource,
    leftoversResource,
    firewallResource,
    hostsResource,
    preflightResource,
    rosterResource,
    authorityResource,
    certificateResource,
    keyPairResource,
    kubeadmInitResource,
    kubeadmJoinResource,
    kubeletJoinResource,
    nodeResource,
    manifestsResource,
    rolloutResource,
  ]),
});
