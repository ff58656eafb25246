import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { requireStack } from "../engine/cluster-api";
import { withSession, type Session } from "../engine/session";
import { prepareEngine } from "../engine/workspace";
import { collectReport } from "../report/collect";
import { mapPicture } from "../report/map-svg";
import { reportPage } from "../report/page";
import { standaloneSvg } from "../report/picture";
import type { ClusterReport } from "../report/report-data";
import { timelinePicture } from "../report/timeline-svg";
import type { Options } from "../terminal/options";
import { StepError } from "../../common/errors";
import { stackCommand } from "../terminal/options";

/** `kubewright report`: writes a page, or a drawing, about the cluster. It changes nothing in the cluster. */
export async function run(options: Options): Promise<number> {
  return await withSession(options.stack, (session) => report(options, session), 1, { isReadOnly: true });
}

async function report({ stack: name, values, flags }: Options, session: Session): Promise<number> {
  await prepareEngine(session.progress, session.signal);
  const stack = await requireStack(name);
  const picture = values.svg;
  // The timeline needs nothing of the cluster.
  const isOffline = flags.has("offline") || picture === "timeline";
  const data = await collectReport(stack, session, { isOffline, hasDrift: picture === undefined });
  const file = resolve(values.output ?? defaultName(name, picture));
  writeFileSync(file, picture === undefined ? reportPage(data) : standaloneSvg(pictureOf(data, picture)));
  session.screen.close();
  process.stdout.write(`${file}\n`);
  return 0;
}

function defaultName(stack: string, picture: string | undefined): string {
  return picture === undefined ? `kubewright-report-${stack}.html` : `kubewright-${picture}-${stack}.svg`;
}

function pictureOf(data: ClusterReport, picture: string) {
  if (picture === "map") return mapPicture(data);
  if (!data.run) throw missingRun(data.stack);
  return timelinePicture(
    data.run,
    data.map.machines.map(({ name }) => name),
  );
}

function missingRun(stack: string): StepError {
  return new StepError({
    step: "drawing the timeline",
    cause: `no run of stack "${stack}" that changed the cluster is recorded on this computer`,
    action: `change the cluster with \`${stackCommand("up", stack)}\` on this computer, then run the command again`,
  });
}
