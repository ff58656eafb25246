import type { EngineEvent, PreviewOptions, Stack } from "@pulumi/pulumi/automation";
import { expect, test } from "vitest";
import { runPreview } from "../../../../cli/preview/run-preview";

const STACK = "urn:pulumi:dev::kubewright::pulumi:pulumi:Stack::kubewright-dev";
const signal = new AbortController().signal;

/** A stack whose preview reports these diagnostics, and then fails as the engine's command does. */
function failingStack(diagnostics: readonly { severity: string; message: string }[]): Stack {
  const preview = async ({ onEvent }: PreviewOptions) => {
    for (const one of diagnostics) onEvent?.({ diagnosticEvent: { urn: STACK, ...one } } as unknown as EngineEvent);
    throw new Error("code: 255\nstderr: error: one problem in the configuration:");
  };
  return { preview } as unknown as Stack;
}

test("a refused configuration is reported with every problem", async () => {
  const problem = "one problem in the configuration:\n  workers.counts: is not a known property; did you mean count?";
  const stack = failingStack([
    { severity: "warning", message: "worker-1 was rebooted" },
    { severity: "error", message: `<{%fg 1%}>${problem}<{%reset%}>` },
    { severity: "error", message: "preview failed" },
  ]);
  await expect(runPreview(stack, { signal })).rejects.toThrow(
    /^one problem in the configuration:\n +workers\.counts: is not a known property; did you mean count\?$/,
  );
});

test("a command that fails without a report of the engine is an error of its own", async () => {
  await expect(runPreview(failingStack([]), { signal })).rejects.toThrow("code: 255");
});
