import { version } from "../package.json";
import { dockerEnvironment } from "./docker/daemon";
import { kubeconfigCall } from "./kubeadm/kubeconfig-call";
import { createProviderContext } from "./context/context";
import { configuredSettings } from "./rpc/provider-configuration";
import type { Properties } from "./rpc/values";
import { callsOf } from "./rpc/calls";
import { registryOf } from "./rpc/handler";
import { serve } from "./rpc/serve";
import { ADOPT_VARIABLE, DEFAULT_SETTINGS, type ProviderSettings } from "./settings/settings";
import { noTrace, traceTo } from "./settings/trace";
import schema from "./schema.json";
import { allResources } from "./resources/all-resources";
import { NO_PREVIEW_NOTES, previewNotes } from "./preview/preview-notes";

/** The only place where the provider reads its environment. */
const {
  KUBEWRIGHT_CONNECTIONS,
  KUBEWRIGHT_TRACE,
  SSH_AUTH_SOCK,
  [NO_PREVIEW_NOTES]: noPreviewNotes,
  [ADOPT_VARIABLE]: adopt,
} = process.env;

const settings: ProviderSettings = {
  ...DEFAULT_SETTINGS,
  connectionLimit: Number(KUBEWRIGHT_CONNECTIONS) || DEFAULT_SETTINGS.connectionLimit,
  agentSocket: SSH_AUTH_SOCK,
  adopting: Boolean(adopt),
  dockerEnvironment: dockerEnvironment(process.env),
};

const context = createProviderContext(settings, {
  trace: KUBEWRIGHT_TRACE ? traceTo(KUBEWRIGHT_TRACE) : noTrace,
});

/** Called at the beginning of each run. */
function configure(configuration: Properties): void {
  Object.assign(settings, configuredSettings(configuration));
  context.connections.forgetFailures();
  context.sources.forget();
}

void serve({
  context,
  configure,
  schema,
  version,
  describeChange: noPreviewNotes ? undefined : previewNotes,
  calls: callsOf([kubeconfigCall]),
  resources: registryOf(allResources),
});
