import type { Stack } from "@pulumi/pulumi/automation";
import { z } from "zod";
import { parseJson } from "../../common/json";
import { readConfig } from "../../provider/kubeadm/manifests";
import type { Remote } from "../../provider/ssh/remote";
import { CERTIFICATE_KEYS, type CertificateKeys } from "../../render/kubeadm-types";
import { readSections } from "../engine/stack-config";

const keysSchema = z.object({ certificateKeys: z.enum(CERTIFICATE_KEYS) });
const appliedSchema = z.object({ encryptionAlgorithm: z.enum(CERTIFICATE_KEYS) });

/**
 * Returns the algorithm of new CAs: `security.certificateKeys` of the stack's configuration, or what a program of the
 * user's own has applied to the first control plane.
 * @returns undefined where neither is set: then each new key is of the same algorithm as the one that it replaces
 */
export async function readKeys(
  stack: Stack,
  [machine]: readonly Remote[],
  signal: AbortSignal,
): Promise<CertificateKeys | undefined> {
  const { security } = await readSections(stack);
  const configured = keysSchema.safeParse(parseJson(security ?? "")).data?.certificateKeys;
  if (configured !== undefined || !machine) return configured;
  const documents = (await readConfig(machine, signal)) ?? [];
  return documents.flatMap((document) => appliedSchema.safeParse(document).data?.encryptionAlgorithm ?? [])[0];
}
