import { localPath } from "../common/portable-path";
import * as pulumi from "@pulumi/pulumi";
import { ConfiguredCluster } from "./configured-cluster";
import { type RemoteClusterArgs, createRemoteCluster, mayBeOutput } from "./remote-cluster";

/**
 * The components for programs in other languages. The provider loads this file when the first of them is constructed.
 */

interface Constructed {
  urn: pulumi.Input<string>;
  state: pulumi.Inputs;
}

type Construct = (name: string, inputs: pulumi.Inputs, options: pulumi.ComponentResourceOptions) => Constructed;

const COMPONENTS: Readonly<Record<string, Construct>> = {
  "kubewright:components:ConfiguredCluster": (name, inputs, options) => {
    refuseOutputs(inputs, () => false);
    const { urn, kubeconfigPath, kubectlPath, artifactSource, stackId } = new ConfiguredCluster(name, inputs, options);
    return { urn, state: { kubeconfigPath, kubectlPath, artifactSource, stackId } };
  },
  "kubewright:components:Cluster": (name, inputs, options) => {
    refuseOutputs(inputs, mayBeOutput);
    const cluster = createRemoteCluster(name, inputs as RemoteClusterArgs, options);
    const kubectlPath = cluster.artifacts.binaries.apply(({ kubectl }) => localPath(kubectl.path));
    return { urn: cluster.urn, state: { kubeconfig: cluster.kubeconfig, kubectlPath } };
  },
};

type Path = readonly (string | number)[];

/**
 * Machines are counted before anything exists, so the shape of a cluster must be known when the program runs.
 * @param isAllowed whether the value at a path may be an output
 * @throws pulumi.InputPropertyError with the path of the property
 */
function refuseOutputs(value: unknown, isAllowed: (path: Path) => boolean, path: Path = []): void {
  if (pulumi.Output.isInstance(value)) {
    if (isAllowed(path)) return;
    const reason =
      "is the output of a resource or a secret of the program, and must be known when the program runs; write its " +
      "value. ConfiguredCluster takes secrets from the stack's configuration";
    throw new pulumi.InputPropertyError({ propertyPath: path.join("."), reason });
  }
  if (typeof value !== "object" || value === null) return;
  const keyOf = (key: string) => (Array.isArray(value) ? Number(key) : key);
  for (const [key, inner] of Object.entries(value)) refuseOutputs(inner, isAllowed, [...path, keyOf(key)]);
}

/** Creates a component for the engine. */
export async function construct(
  name: string,
  type: string,
  inputs: pulumi.Inputs,
  options: pulumi.ComponentResourceOptions,
): Promise<Constructed> {
  const create = COMPONENTS[type];
  if (!create) throw new Error(`this version of the provider has no component ${type}; update kubewright`);
  return create(name, inputs, options);
}

/**
 * Serves the components with the server of Pulumi's SDK.
 * @param engine address of the engine
 * @param version version of the provider
 * @returns the port, which the server prints
 */
export async function serve(engine: string, version: string): Promise<number> {
  const { log } = console;
  let port = 0;
  console.log = (word: unknown) => {
    port = Number(word);
  };
  try {
    await pulumi.provider.main({ version, construct }, [engine]);
  } finally {
    console.log = log;
  }
  return port;
}
