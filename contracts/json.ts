import { z } from "zod";

/** A JSON object that is passed through unchanged, with the TypeScript type of what it describes. */
export function jsonObject<T extends object = Record<string, unknown>>(): z.ZodType<T, T> {
  return z.record(z.string(), z.unknown()) as unknown as z.ZodType<T, T>;
}
