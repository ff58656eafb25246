import * as pulumi from "@pulumi/pulumi";
import { ConfiguredCluster } from "./configured-cluster";

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
    refuseOutputs(inputs, []);
    const { urn, kubeconfigPath, kubectlPath, artifactSource, stackId } = new ConfiguredCluster(name, inputs, options);
    return { urn, state: { kubeconfigPath, kubectlPath, artifactSource, stackId } };
  },
};

/**
 * Machines are counted before anything exists, so the configuration must be known when the program runs.
 * @throws pulumi.InputPropertyError with the path of the property
 */
function refuseOutputs(value: unknown, path: readonly (string | number)[]): void {
  if (pulumi.Output.isInstance(value)) {
    const reason =
      "is the output of a resource or a secret of the program; write its value, or set a secret in the stack's " +
      "configuration (`pulumi config set --secret --path`) and leave out the property configuration";
    throw new pulumi.InputPropertyError({ propertyPath: path.join("."), reason });
  }
  if (typeof value !== "object" || value === null) return;
  for (const [key, inner] of Object.entries(value)) refuseOutputs(inner, [...path, key]);
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
