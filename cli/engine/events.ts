import type { StepEventMetadata } from "@pulumi/pulumi/automation";
import { kindOf, valuesOf, type Op, type Step } from "../../provider/preview/step";

const OPS: Record<string, Op> = {
  same: "same",
  create: "create",
  update: "update",
  delete: "delete",
  replace: "replace",
  "create-replacement": "replace",
};

/** Returns one step for each resource. The last event of a replacement has the new inputs and the reason. */
export function stepsOf(events: readonly StepEventMetadata[]): Step[] {
  return [...new Map(events.map(stepOf).flatMap((step) => (step ? [[step.urn, step]] : []))).values()];
}

/**
 * Returns undefined for components, and for the deletion of a replaced resource, which adds nothing to the replacement.
 */
export function stepOf(metadata: StepEventMetadata): Step | undefined {
  const { urn, type, provider, old, new: news, keys, detailedDiff } = metadata;
  const op = OPS[metadata.op];
  if (op === undefined || provider === "" || type.startsWith("pulumi:")) return undefined;
  const differences = Object.entries(detailedDiff ?? {});
  const replacing = differences.filter(([, { diffKind }]) => diffKind.endsWith("-replace")).map(([path]) => path);
  return {
    op,
    urn,
    type,
    kind: kindOf(type),
    name: urn.split("::").slice(3).join("::"),
    current: valuesOf(old?.inputs),
    desired: op === "delete" ? {} : valuesOf(news?.inputs ?? old?.inputs),
    paths: differences.map(([path]) => path),
    replacing: replacing.length > 0 ? replacing : (keys ?? []),
  };
}
