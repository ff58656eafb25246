import { createProviderContext } from "../../provider/context/context";
import type { Context } from "../../provider/rpc/handler";
import { DEFAULT_SETTINGS, type ProviderSettings } from "../../provider/settings/settings";

/** A context for handlers that ignores their messages. Each context has its own connections. */
export function testContext(parts: Partial<Context> = {}, settings: Partial<ProviderSettings> = {}): Context {
  return {
    ...createProviderContext({ ...DEFAULT_SETTINGS, agentSocket: process.env.SSH_AUTH_SOCK, ...settings }),
    urn: "urn",
    name: "a-test",
    signal: new AbortController().signal,
    status: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    begin: () => undefined,
    undo: () => undefined,
    ...parts,
  };
}

/** Shared by the tests of one file. */
export const silentContext = testContext();
