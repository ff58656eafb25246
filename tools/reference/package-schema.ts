import { CLUSTER, CLUSTER_TYPES } from "./cluster-schema";
import { type Schema, documentedSections, isSchema } from "./json-schema";
import type { Property } from "./property";

const ANY: Schema = { $ref: "pulumi.json#/Any" };
const REPOSITORY = "https://github.com/kubewright/kubewright";

/**
 * Settings of the generated SDKs. A resource of an SDK names the version of the package, and the engine chooses the
 * provider by it. In npm, `kubewright` is the name of the library, which contains the provider.
 */
const LANGUAGES = {
  nodejs: { respectSchemaVersion: true, packageName: "@kubewright/sdk" },
  python: { respectSchemaVersion: true, pyproject: { enabled: true } },
  go: {
    respectSchemaVersion: true,
    generateResourceContainerTypes: true,
    // Otherwise Go lacks types for the elements of lists whose values are all known: its SDK does not compile.
    generateExtraInputTypes: true,
    importBasePath: "github.com/kubewright/kubewright/sdk/go/kubewright",
  },
  csharp: { respectSchemaVersion: true, packageReferences: { Pulumi: "3.*" } },
  java: { buildFiles: "gradle" },
};

const CONFIGURATION = "kubewright:components:Configuration";

/**
 * The schema of the package, from which programs in other languages know its components. The types of the configuration
 * come from its contract; a value of several types is Any, and the provider checks it.
 * https://www.pulumi.com/docs/iac/guides/building-extending/packages/schema/
 * @param sections the properties of the configuration, with their descriptions
 */
export function packageSchema(sections: readonly Property[]): string {
  const types = new Types(documentedSections(sections));
  const schema = {
    name: "kubewright",
    displayName: "Kubewright",
    description: "Turns machines into Kubernetes nodes",
    keywords: ["kubernetes", "kubeadm", "category/infrastructure", "kind/component"],
    homepage: REPOSITORY,
    repository: REPOSITORY,
    license: "Apache-2.0",
    publisher: "Kubewright",
    // Each SDK is a package that the language's package manager can install, as `pulumi package add` expects it.
    meta: { moduleFormat: "(.*)", supportPack: true },
    language: LANGUAGES,
    types: { ...types.all, ...CLUSTER_TYPES },
    resources: {
      "kubewright:components:Cluster": CLUSTER,
      "kubewright:components:ConfiguredCluster": configuredCluster(),
    },
  };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function configuredCluster(): Schema {
  const text = (description: string): Schema => ({ type: "string", description });
  return {
    isComponent: true,
    description: "The machines and the cluster of a configuration.",
    inputProperties: {
      folder: {
        ...text("Absolute path of the folder of the keys and the kubeconfig. Default: .kubewright/<stack>"),
        plain: true,
      },
      cluster: { ...text("Name of the cluster. Default: the name of the stack"), plain: true },
      configuration: {
        $ref: `#/types/${CONFIGURATION}`,
        plain: true,
        description: "The configuration. Default: the configuration of the stack",
      },
    },
    properties: {
      kubeconfigPath: text("Path of the kubeconfig"),
      kubectlPath: text("Path of a kubectl of the cluster's version"),
      artifactSource: text("Source of binaries and images"),
      stackId: text("Label of what was created outside Pulumi's state"),
    },
    required: ["kubeconfigPath", "kubectlPath", "artifactSource", "stackId"],
  };
}

/** Turns JSON schemas into types of a package. Objects get names, by their paths. */
class Types {
  readonly all: Record<string, Schema> = {};

  constructor(private readonly root: { properties: Record<string, Schema>; $defs: Record<string, Schema> }) {
    this.add(CONFIGURATION, { properties: root.properties });
  }

  private add(token: string, { properties = {}, required, description }: Schema): void {
    this.all[token] = {}; // a type may contain itself
    this.all[token] = {
      type: "object",
      ...(typeof description === "string" ? { description } : {}),
      properties: Object.fromEntries(
        Object.entries(properties as Record<string, Schema>).map(([name, schema]) => [
          name,
          { ...this.typeOf(schema, `${token}${capitalized(name)}`), ...describe(schema) },
        ]),
      ),
      ...(Array.isArray(required) ? { required } : {}),
    };
  }

  private typeOf(schema: Schema, token: string): Schema {
    const definition = typeof schema.$ref === "string" ? schema.$ref.replace("#/$defs/", "") : undefined;
    if (definition !== undefined) return this.definition(definition);
    const [first, ...others] = alternatives(schema);
    if (first) return others.length === 0 ? this.typeOf(first, token) : ANY;
    if (schema.type === "array")
      return { type: "array", items: isSchema(schema.items) ? this.typeOf(schema.items, token) : ANY, plain: true };
    if (schema.type === "object") return { ...this.objectOf(schema, token), plain: true };
    const isScalar = ["string", "integer", "number", "boolean"].includes(String(schema.type));
    return isScalar ? { type: schema.type, plain: true } : ANY;
  }

  private definition(name: string): Schema {
    const token = `kubewright:components:${capitalized(name)}`;
    const schema = this.root.$defs[name] ?? {};
    return isSchema(schema.properties) || schema.type !== undefined ? this.typeOf(schema, token) : ANY;
  }

  private objectOf(schema: Schema, token: string): Schema {
    if (isSchema(schema.properties)) {
      if (!this.all[token]) this.add(token, schema);
      return { $ref: `#/types/${token}` };
    }
    const { additionalProperties: values } = schema;
    const isTyped = isSchema(values) && Object.keys(values).length > 0;
    return { type: "object", additionalProperties: isTyped ? this.typeOf(values, `${token}Value`) : ANY };
  }
}

/** The alternatives of a union, without null and Pulumi's form of an encrypted value. */
function alternatives(schema: Schema): Schema[] {
  const all = (schema.anyOf ?? schema.oneOf ?? []) as Schema[];
  return all.filter(({ type, properties }) => type !== "null" && !(isSchema(properties) && "secure" in properties));
}

function describe({ description }: Schema): Schema {
  return typeof description === "string" ? { description } : {};
}

function capitalized(text: string): string {
  return text.replace(/(?:^|[^A-Za-z0-9]+)([A-Za-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
