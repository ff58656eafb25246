import { resolve } from "node:path";
import { messageOf, StepError } from "../../common/errors";
import { requireStack } from "../engine/cluster-api";
import { withSession, type Session } from "../engine/session";
import { prepareEngine } from "../engine/workspace";
import { writeArchive } from "../support/archive";
import { collectSupport } from "../support/collect";
import type { Options } from "../terminal/options";

/** `kubewright support`: writes an archive for a bug report. It changes nothing in the cluster. */
export async function run(options: Options): Promise<number> {
  return await withSession(options.stack, (session) => support(options, session), 1, { isReadOnly: true });
}

async function support({ stack: name, values }: Options, session: Session): Promise<number> {
  await prepareEngine(session.progress, session.signal);
  const stack = await requireStack(name);
  const files = await collectSupport(stack, session);
  const folder = `kubewright-support-${name}-${timestamp()}`;
  const path = resolve(values.output ?? `${folder}.tar.gz`);
  await writeArchive(path, folder, files).catch((error: unknown) => {
    throw new StepError({
      step: `writing ${path}`,
      cause: messageOf(error),
      action: "name another file with --output",
    });
  });
  session.screen.close();
  process.stdout.write(`${path}\n`);
  return 0;
}

/** `20261126-184012`, in UTC */
function timestamp(): string {
  return new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-");
}
