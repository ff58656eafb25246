import type { StepEventMetadata } from "@pulumi/pulumi/automation";
import { kindOf, type Op, type Step, valuesOf } from "../../provider/preview/step";

const OPS: Record<string, Op> = {
  same: "same",
  create: "create",
  update: "update",
  delete: "delete",
  replace: "replace",
  "create-replacement": "replace",
};

/** One for each resource. Of a replacement the last event says what is new, and why. */
export function stepsOf(told: readonly StepEventMetadata[]): Step[] {
  return [...new Map(told.map(stepOf).flatMap((step) => (step ? [[step.urn, step]] : []))).values()];
}

/** Undefined for what groups others, and for the half of a replacement that says nothing new. */
export function stepOf({
  op,
  urn,
  type,
  provider,
  old,
  new: news,
  keys,
  detailedDiff,
}: StepEventMetadata): Step | undefined {
  const known = OPS[op];
  if (known === undefined || provider === "" || type.startsWith("pulumi:")) return undefined;
  const found = valuesOf(old?.inputs);
  const wanted = known === "delete" ? {} : valuesOf(news?.inputs ?? old?.inputs);
  const differences = Object.entries(detailedDiff ?? {});
  const replacing = differences.filter(([, { diffKind }]) => diffKind.endsWith("-replace")).map(([path]) => path);
  return {
    op: known,
    urn,
    type,
    kind: kindOf(type),
    name: urn.split("::").slice(3).join("::"),
    found,
    wanted,
    paths: differences.map(([path]) => path),
    replacing: replacing.length > 0 ? replacing : (keys ?? []),
  };
}
