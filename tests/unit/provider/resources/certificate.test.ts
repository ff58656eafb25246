import "reflect-metadata";
import { describe, expect, test, vi } from "vitest";
import { createProviderContext } from "../../../../provider/context/context";
import { createAuthority } from "../../../../provider/pki/x509";
import { certificateResource } from "../../../../provider/resources/certificate";

describe("a certificate", () => {
  test("is renewed in its last 30 days, and not before", async () => {
    const authority = await createAuthority("kubernetes", 3650);
    const inputs = {
      authorityCertificate: authority.certificate,
      authorityKey: authority.key,
      commonName: "x",
      organizations: [],
      usages: ["client"],
      dnsNames: [],
      ipAddresses: [],
      lifetimeDays: 365,
    };
    const { outputs } = await certificateResource.create({ name: "x" } as never, inputs);
    const changesAfter = async (days: number) => {
      vi.setSystemTime(Date.now() + days * 86_400_000);
      try {
        return await certificateResource.extraChanges?.(inputs, { inputs, outputs }, createProviderContext());
      } finally {
        vi.useRealTimers();
      }
    };
    expect(await changesAfter(330)).toEqual([]);
    expect(await changesAfter(336)).toEqual(["lifetimeDays"]);
  });
});
