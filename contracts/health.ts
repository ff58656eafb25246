import { z } from "zod";

/** An HTTP endpoint on the machine's loopback interface that answers 200 when the service is healthy. */
export const healthSchema = z.strictObject({
  /**
   * `HTTP`, or `HTTPS` without verification of the certificate: the endpoint is reached through the machine's loopback
   * interface.
   */
  scheme: z.enum(["HTTP", "HTTPS"]),
  /** TCP port on the machine's loopback interface. */
  port: z.int().positive(),
  /** Path of the endpoint: `/healthz`. */
  path: z.string().startsWith("/"),
  /** Seconds until the service must be healthy. */
  timeout: z.number().positive(),
});

export type Health = z.infer<typeof healthSchema>;
