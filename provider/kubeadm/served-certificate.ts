import { connect } from "node:tls";
import { StepError, messageOf } from "../../common/errors";
import { until } from "../../common/wait";
import type { Context } from "../rpc/handler";
import type { Remote } from "../ssh/remote";
import { openStream } from "../ssh/tunnel";

const SERVED_SECONDS = 90;
const POLL_MS = 500;
const PROBE_MS = 5_000;

export interface ServedCertificate {
  /** The component that serves it: `the API server`. */
  server: string;
  port: number;
  fingerprint: string;
  /** What is said of the previous files when the new certificate is not served. */
  consequence: string;
  action: string;
}

/** Waits until a server on the machine presents a certificate. @throws StepError at the deadline */
export async function waitUntilServed(
  { signal, status }: Pick<Context, "signal" | "status">,
  machine: Remote,
  { server, port, fingerprint, consequence, action }: ServedCertificate,
): Promise<void> {
  status(`waiting until ${server} serves its new certificate`);
  let cause = "";
  await until(
    async () => {
      const served = await readServedFingerprint(machine, port).catch((error: unknown) => {
        cause = messageOf(error);
      });
      if (served === fingerprint) return true;
      if (served !== undefined) cause = `${server} still serves the previous certificate`;
      return undefined;
    },
    {
      signal,
      timeout: SERVED_SECONDS,
      patience: machine.patience,
      every: POLL_MS,
      onTimeout: (seconds) =>
        new StepError({
          step: `serving the new certificate of ${server}`,
          machine: machine.label,
          cause: `${cause} after ${seconds} s${consequence}`,
          action,
        }),
    },
  );
}

/** Reads which certificate a server on the machine presents. Nothing is sent, so it need not be trusted. */
async function readServedFingerprint(machine: Remote, port: number): Promise<string | undefined> {
  const stream = await openStream(machine, "127.0.0.1", port);
  return await new Promise((resolve, reject) => {
    const socket = connect({ socket: stream, servername: "kubernetes", rejectUnauthorized: false });
    const end = (finish: () => void) => {
      clearTimeout(timer);
      socket.destroy();
      stream.destroy();
      finish();
    };
    const timer = setTimeout(() => end(() => reject(new Error(`port ${port} does not answer`))), PROBE_MS);
    socket.on("error", (error: Error) => end(() => reject(error)));
    socket.on("secureConnect", () => {
      const served = socket.getPeerX509Certificate()?.fingerprint256;
      end(() => resolve(served));
    });
  });
}
