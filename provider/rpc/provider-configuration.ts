import { z } from "zod";
import { parseJson } from "../../common/json";
import { TRANSFERS } from "../../common/transfer";
import { DEFAULT_SETTINGS, type ProviderSettings } from "../settings/settings";
import type { Properties } from "./values";

const positive = z.coerce.number().positive().optional().catch(undefined);
const timeouts = z.preprocess(fromJson, z.object({ patience: positive, healthy: positive }));

const recovery = z.preprocess(
  fromJson,
  z.object({
    abandoned: z.array(z.string()).optional(),
    rebuilt: z.array(z.string()).optional(),
    acceptHostKeys: z.record(z.string(), z.string()).optional(),
  }),
);

const transfer = z.enum(TRANSFERS).optional().catch(undefined);
const backup = z.preprocess(fromJson, z.object({ restoreFrom: z.coerce.string().optional() }));

/**
 * Reads `transfer` and the sections `timeouts`, `recovery` and `backup` of the stack's configuration. The engine passes
 * every value in the package's own namespace (`kubewright:timeouts`) to the provider. The program reports invalid
 * values; here they are ignored.
 */
export function configuredSettings(
  configuration: Properties,
): Pick<
  ProviderSettings,
  "patience" | "healthySeconds" | "transfer" | "abandoned" | "rebuilt" | "acceptHostKeys" | "restoreFrom"
> {
  const { abandoned, rebuilt, acceptHostKeys } = recovery.safeParse(configuration.recovery).data ?? {};
  const { patience, healthy } = timeouts.safeParse(configuration.timeouts).data ?? {};
  return {
    patience: patience ?? DEFAULT_SETTINGS.patience,
    healthySeconds: healthy ?? DEFAULT_SETTINGS.healthySeconds,
    transfer: transfer.parse(configuration.transfer) ?? DEFAULT_SETTINGS.transfer,
    abandoned: abandoned ?? DEFAULT_SETTINGS.abandoned,
    rebuilt: rebuilt ?? DEFAULT_SETTINGS.rebuilt,
    acceptHostKeys: acceptHostKeys ?? DEFAULT_SETTINGS.acceptHostKeys,
    restoreFrom: backup.safeParse(configuration.backup).data?.restoreFrom,
  };
}

/**
 * Parses a section. The engine passes objects and arrays as JSON text, and numbers in them as text if `pulumi config
 * set` wrote them as text.
 */
function fromJson(value: unknown): unknown {
  return typeof value === "string" ? parseJson(value) : value;
}
