import type { Context } from "../../provider/rpc/handler";

/** What a handler is given, with nobody who listens. */
export const silentContext: Context = {
  urn: "urn",
  name: "a-test",
  signal: new AbortController().signal,
  status: () => undefined,
  info: () => undefined,
  warn: () => undefined,
};
