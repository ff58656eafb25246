import { clusterApi, requireStack } from "../engine/cluster-api";
import { withSession, type Session } from "../engine/session";
import { prepareEngine } from "../engine/workspace";
import { checkCluster } from "../nodes/check/check-cluster";
import { checkText } from "../nodes/check/check-text";
import { checkCis, cisText } from "../nodes/cis/check-cis";
import { readClusterFacts } from "../nodes/cis/read-cluster";
import { podAccess } from "../nodes/check/pod-access";
import type { Options } from "../terminal/options";
import { NOT_CHECKED } from "./table";

const FAILED = 1;

/** `check`: checks that the cluster works for its users, with pods in a namespace of its own. */
export async function run(options: Options): Promise<number> {
  const work = options.flags.has("cis") ? checkBenchmark : check;
  return await withSession(options.stack, (session) => work(options, session), NOT_CHECKED);
}

/** `check --cis`: compares the cluster with the items of the CIS Benchmark in docs/hardening.md. Starts no pods. */
async function checkBenchmark(options: Options, session: Session): Promise<number> {
  await prepareEngine(session.progress, session.signal);
  const stack = await requireStack(options.stack);
  session.progress("reading every machine");
  const results = checkCis(await readClusterFacts(stack, session));
  session.screen.close();
  const ok = results.every(({ status }) => status !== "failed");
  process.stdout.write(
    options.flags.has("json") ? `${JSON.stringify({ ok, items: results }, null, 2)}\n` : cisText(results),
  );
  return ok ? 0 : FAILED;
}

async function check(options: Options, session: Session): Promise<number> {
  const { signal, screen, progress } = session;
  await prepareEngine(progress, signal);
  const stack = await requireStack(options.stack);
  const api = await clusterApi(stack, session);
  const results = await checkCluster(api, { signal, access: podAccess(api), status: progress });
  screen.close();
  const ok = results.every((result) => result.ok);
  process.stdout.write(
    options.flags.has("json") ? `${JSON.stringify({ ok, checks: results }, null, 2)}\n` : checkText(results),
  );
  return ok ? 0 : FAILED;
}
