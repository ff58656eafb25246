import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheRoot } from "../../common/cache-root";
import { stackIdOf } from "../../components/machines/docker";
import { removeStack } from "../../provider/docker/remove-stack";
import { destroyFolder } from "../../provider/vagrant/machines";
import { contextName, unmergeKubeconfig } from "../engine/merge-kubeconfig";
import { runOperation } from "../engine/operate";
import { textOutput } from "../engine/outputs";
import { removeSecretsProvider, stackFolder } from "../engine/paths";
import { CommandEnded, withSession, type Session } from "../engine/session";
import { findStack, isKnownMissing, prepareEngine } from "../engine/workspace";
import { commandFailure } from "../terminal/engine-errors";
import { stackCommand, type Options } from "../terminal/options";
import { confirm } from "../terminal/prompt";

/**
 * `npm run down`: deletes everything that belongs to a stack, also after an interrupted run and without a state.
 */
export async function run(options: Options): Promise<number> {
  return await withSession(options.stack, (session) => down(options, session));
}

async function down({ stack: name, flags }: Options, session: Session): Promise<number> {
  const isEmpty = isKnownMissing(name) && !existsSync(stackFolder(name));
  if (!isEmpty && !flags.has("yes") && !(await confirmDown(name, session))) return 1;
  const idFromKey = stackIdFromKey(name); // read first: the key is deleted with the stack
  const idFromState = isKnownMissing(name) ? undefined : await destroy(name, flags.has("force"), session);
  reportLeftovers(
    { "Vagrant machine": await destroyFolder(join(stackFolder(name), "vagrant"), session.signal) },
    session,
  );
  for (const id of new Set([idFromKey, idFromState].filter((one) => one !== undefined)))
    reportLeftovers({ ...(await removeStack(id, session.signal)) }, session);
  const kubeconfig = await unmergeKubeconfig(name);
  if (kubeconfig) session.progress(`removed the context ${contextName(name)} from ${kubeconfig}`);
  rmSync(stackFolder(name), { recursive: true, force: true });
  removeSecretsProvider(name);
  session.screen.close();
  printResult(isEmpty ? `Stack "${name}" does not exist: there is nothing to delete.` : `Stack "${name}" is deleted.`);
  return 0;
}

async function confirmDown(name: string, { signal }: Session): Promise<boolean> {
  process.stderr.write(
    `Stack "${name}" will be deleted: the cluster with everything in it, and all machines that were created for it.\n` +
      "Kubernetes will be removed from machines that you provided. This cannot be undone.\n",
  );
  return await confirm(`Delete stack ${name}?`, signal);
}

function printResult(result: string): void {
  const cache = cacheRoot();
  process.stdout.write(`${result}\n`);
  if (existsSync(cache))
    process.stdout.write(`The cache of binaries and images is kept: delete it with \`rm -rf ${cache}\`.\n`);
}

/** Reports what an interrupted run had left outside the state. */
function reportLeftovers(removed: Readonly<Record<string, number>>, { progress }: Session): void {
  const counts = Object.entries(removed).filter(([, count]) => count > 0);
  if (counts.length > 0)
    progress(
      `removed leftovers of an interrupted run: ${counts.map(([kind, count]) => `${count} ${kind}`).join(", ")}`,
    );
}

/** Destroys the resources of the state. Returns the label of the stack's Docker objects. */
async function destroy(name: string, isForced: boolean, session: Session): Promise<string | undefined> {
  await prepareEngine(session.progress, session.signal);
  const stack = await findStack(name);
  if (!stack) return undefined;
  const id = textOutput(await stack.outputs(), "stackId");
  try {
    await runOperation(stack, "destroy", session);
  } catch (error) {
    if (session.signal.aborted || isLocked(error)) throw error;
    if (!isForced) {
      if (error instanceof CommandEnded) process.stderr.write(`\n${forceHint(name)}\n`);
      throw error;
    }
    session.progress(`continuing although the destroy failed: ${commandFailure(error)}`);
  }
  await stack.workspace.removeStack(name, { force: isForced, preserveConfig: true });
  return id;
}

/** Another run may be changing what `--force` would delete. */
function isLocked(error: unknown): boolean {
  return error instanceof CommandEnded && error.isLocked;
}

function forceHint(name: string): string {
  return `\`${stackCommand("down", name, "--force")}\` deletes the local machines and the state anyway`;
}

/** The label that index.ts derives, for a stack without a state. */
function stackIdFromKey(name: string): string | undefined {
  const key = join(stackFolder(name), "id_ed25519.pub");
  return existsSync(key) ? stackIdOf(name, readFileSync(key, "utf8")) : undefined;
}
