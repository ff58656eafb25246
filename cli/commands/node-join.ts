import { portablePath } from "../../common/portable-path";
import { resolve } from "node:path";
import type { Stack } from "@pulumi/pulumi/automation";
import { StepError } from "../../common/errors";
import { optional } from "../../common/optional";
import { kindOf, type ClusterConfig, type Pool } from "../../components/config";
import { expandHome } from "../../components/machines/ssh-files";
import { runOperation } from "../engine/operate";
import type { Session } from "../engine/session";
import { withConfigChange } from "../engine/config-change";
import { poolNamed, readStackConfig, type ConfigChange } from "../engine/stack-config";
import { withStack } from "../engine/stack-session";
import { closingTable } from "../nodes/closing-table";
import { describeNewWorker } from "../nodes/upgrade-hold";
import { numberOption, type Options } from "../terminal/options";

/** `npm run node:join -- --pool gpu --count 2`, or with `--host` for a machine that the user provides. */
export async function run(options: Options): Promise<number> {
  return await withStack(options, "node join", (stack, session) => join(stack, options, session));
}

async function join(stack: Stack, options: Options, session: Session): Promise<number> {
  const config = await readStackConfig(stack);
  const pool = poolNamed(config, options.values.pool ?? "workers");
  const { host } = options.values;
  const change = host === undefined ? raiseCount(config, pool, options) : addHost(config, pool, host, options);
  await withConfigChange({ stack, session }, change, async () => {
    session.progress(
      `configuration: ${Object.entries(change)
        .map(([path, value]) => `${path}=${value}`)
        .join(" ")}`,
    );
    const version = describeNewWorker(config, pool.name);
    if (version !== undefined) session.progress(version);
    session.signal.throwIfAborted();
    return await runOperation(stack, "up", session);
  });
  session.screen.close();
  process.stdout.write(`\n${(await closingTable(stack, session)) ?? ""}\n`);
  return 0;
}

function raiseCount(config: ClusterConfig, pool: Pool, options: Options): ConfigChange {
  const { path, name, count, additional } = pool;
  const kind = kindOf(config, pool);
  if (kind.makes) return { [`${path}.count`]: count - additional + (numberOption(options, "count") ?? 1) };
  throw new StepError({
    step: "extending the pool",
    cause: `machines of kind ${kind.name} cannot be created`,
    action: `add a machine of yours with --pool ${name} --host 10.0.0.9 --user admin --key ~/.ssh/id_ed25519`,
  });
}

/** Adds the machine to the pool's hosts, or updates its entry. */
function addHost(config: ClusterConfig, { path, hosts }: Pool, host: string, options: Options): ConfigChange {
  const { user, key, jump, name = nodeName(host) } = options.values;
  const fields = {
    name,
    host,
    ...optional({
      privateKeyPath: key === undefined ? undefined : portablePath(resolve(expandHome(key))),
      agent: options.flags.has("agent") || undefined,
      jump,
      user,
      port: numberOption(options, "port"),
      privateAddress: options.values["private-address"],
      hostKey: options.values["host-key"],
    }),
  };
  const existing = hosts.findIndex((one) => one.name === name && [one.host, one.alias].includes(host));
  if (existing < 0) assertNewName(config, name);
  const index = existing < 0 ? hosts.length : existing;
  return Object.fromEntries(
    Object.entries(fields).map(([field, value]) => [`${path}.hosts[${index}].${field}`, value]),
  );
}

/** A node name must not be an address. */
function nodeName(host: string): string {
  return /^[\d.]+$/.test(host) ? `node-${host.replaceAll(".", "-")}` : host.toLowerCase();
}

function assertNewName({ workers, pools }: ClusterConfig, name: string): void {
  const all = [workers, ...Object.values(pools)].flatMap(({ hosts }) => hosts);
  if (!all.some((host) => host.name === name)) return;
  throw new StepError({
    step: "joining a machine",
    cause: `the configuration already has a machine named ${name}`,
    action: "choose another name with --name",
  });
}
