import { resolve } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { type ClusterConfig, type Pool, kindOf } from "../../components/config";
import { expanded } from "../../components/machines/ssh-files";
import { StepError } from "../../common/errors";
import { nodeTable } from "../nodes/node-table";
import { onStack } from "../engine/on-stack";
import { operate, type Session } from "../engine/operate";
import { numberOption, parseOptions, type Options } from "../terminal/options";
import { type Change, changeStackConfig, poolNamed, readStackConfig } from "../engine/stack-config";

/** `npm run node:join -- --pool gpu --count 2`, `npm run node:join -- --host 10.0.0.9 --user admin --key ~/.ssh/id`. */
export async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(
    args,
    ["agent"],
    ["pool", "count", "host", "user", "key", "port", "jump", "name", "private-address", "host-key"],
  );
  return await onStack(options, "node:join", (stack, session) => join(stack, options, session));
}

async function join(stack: Stack, options: Options, session: Session): Promise<number> {
  const config = await readStackConfig(stack);
  const pool = poolNamed(config, options.values.pool ?? "workers");
  const change =
    options.values.host === undefined
      ? more(config, pool, options)
      : hostOf(config, pool, options.values.host, options);
  await changeStackConfig(stack, change);
  session.progress(
    `configuration: ${Object.entries(change)
      .map(([path, value]) => `${path}=${value}`)
      .join(" ")}`,
  );
  session.signal.throwIfAborted();
  const { outputs } = await operate(stack, "up", session);
  session.screen.close();
  process.stdout.write(`\n${(await nodeTable(outputs)) ?? ""}\n`);
  return 0;
}

function more(config: ClusterConfig, pool: Pool, options: Options): Record<string, number> {
  const { path, name, count } = pool;
  const kind = kindOf(config, pool);
  if (kind.makes) return { [`${path}.count`]: count + (numberOption(options, "count") ?? 1) };
  throw new StepError({
    step: "growing the pool",
    cause: `its machines are of kind ${kind.name}, so none is made`,
    action: `name one that you have: --pool ${name} --host 10.0.0.9 --user admin --key ~/.ssh/id`,
  });
}

/** A machine that the person has: one more in the pool's list. */
function hostOf(config: ClusterConfig, { path, hosts }: Pool, host: string, options: Options): Change {
  const {
    user,
    key,
    jump,
    name = hostName(host),
    "private-address": privateAddress,
    "host-key": hostKey,
  } = options.values;
  const port = numberOption(options, "port");
  const fields = {
    name,
    host,
    ...(key === undefined ? {} : { privateKeyPath: keyPath(key) }),
    ...(options.flags.has("agent") ? { agent: true } : {}),
    ...(jump === undefined ? {} : { jump }),
    ...(user === undefined ? {} : { user }),
    ...(port === undefined ? {} : { port }),
    ...(privateAddress === undefined ? {} : { privateAddress }),
    ...(hostKey === undefined ? {} : { hostKey }),
  };
  const same = hosts.findIndex((known) => known.name === name && [known.host, known.alias].includes(host));
  if (same < 0) refuseKnown(config, name);
  const at = same < 0 ? hosts.length : same;
  return Object.fromEntries(Object.entries(fields).map(([field, value]) => [`${path}.hosts[${at}].${field}`, value]));
}

/** An address is no node name. */
function hostName(host: string): string {
  return /^[\d.]+$/.test(host) ? `node-${host.replaceAll(".", "-")}` : host.toLowerCase();
}

/** As the shell that it was written in would find it. */
function keyPath(key: string): string {
  return resolve(expanded(key));
}

function refuseKnown({ workers, pools }: ClusterConfig, name: string): void {
  const all = [workers, ...Object.values(pools)].flatMap(({ hosts }) => hosts);
  if (!all.some((host) => host.name === name)) return;
  throw new StepError({
    step: "joining a machine",
    cause: `${name} is in the configuration already`,
    action: "give it another name with --name",
  });
}
