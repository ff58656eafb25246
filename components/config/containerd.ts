import { z } from "zod";
import { findManagedSettings } from "../../render/containerd";

/** Settings of containerd's configuration file. */
export const containerdSettings = z.record(z.string(), z.json()).superRefine((settings, context) => {
  for (const name of findManagedSettings(settings))
    context.addIssue({
      code: "custom",
      message: `sets ${name}, which Kubewright sets itself; remove it`,
      input: settings,
    });
});
