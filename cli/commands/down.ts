import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheRoot } from "../../artifacts/cache";
import { stackIdOf } from "../../components/machines/docker";
import { removeStack } from "../../provider/docker/remove-stack";
import { destroyFolder } from "../../provider/vagrant/machines";
import { commandFailure } from "../terminal/failure";
import { Ended, inSession, operate, type Session } from "../engine/operate";
import { parseOptions } from "../terminal/options";
import { forgetSecretsProvider, stackFolder } from "../engine/paths";
import { findStack, isKnownMissing, prepareEngine } from "../engine/workspace";
import { textOf } from "../nodes/node-table";

/** `npm run down`: everything of this stack goes, and nothing else; also after a run that was cut off, without state, and twice. */
export async function main(args: readonly string[]): Promise<number> {
  const options = parseOptions(args, ["force"]);
  return await inSession(options.stack, (session) => down(options.stack, options.flags.has("force"), session));
}

async function down(name: string, force: boolean, session: Session): Promise<number> {
  const fromKey = idFromKey(name); // read first: the key goes with the stack
  const fromState = isKnownMissing(name) ? undefined : await destroy(name, force, session);
  const ids = new Set([fromKey, fromState].filter((id) => id !== undefined));
  report({ "machines of Vagrant": await destroyFolder(join(stackFolder(name), "vagrant"), session.signal) }, session);
  for (const id of ids) report({ ...(await removeStack(id, session.signal)) }, session);
  rmSync(stackFolder(name), { recursive: true, force: true });
  forgetSecretsProvider(name);
  session.screen.close();
  const cache = cacheRoot();
  process.stdout.write(`Nothing of stack "${name}" is left.\n`);
  if (existsSync(cache))
    process.stdout.write(
      `The cache of binaries and images stays for the next time: remove it with \`rm -rf ${cache}\`.\n`,
    );
  return 0;
}

/** Only what was cut off leaves something that the state does not know. */
function report(swept: Readonly<Record<string, number>>, session: Session): void {
  const found = Object.entries(swept).filter(([, count]) => count > 0);
  if (found.length > 0)
    session.progress(
      `removed what a stopped run had left: ${found.map(([kind, count]) => `${count} ${kind}`).join(", ")}`,
    );
}

/** Destroys what the state knows; gives the label of the stack's Docker things. */
async function destroy(name: string, force: boolean, session: Session): Promise<string | undefined> {
  await prepareEngine(session.progress, session.signal);
  const stack = await findStack(name);
  if (!stack) return undefined;
  const id = textOf(await stack.outputs(), "stackId");
  try {
    await operate(stack, "destroy", session);
  } catch (error) {
    if (!force || session.signal.aborted) throw withAdvice(error, session);
    session.progress(`going on although the destroy failed: ${commandFailure(error)}`);
  }
  await stack.workspace.removeStack(name, { force, preserveConfig: true });
  return id;
}

function withAdvice(error: unknown, session: Session): unknown {
  if (error instanceof Ended && !session.signal.aborted) {
    process.stderr.write(
      "\n`npm run down -- --force` removes the local machines all the same, and forgets the state\n",
    );
  }
  return error;
}

/** The same name as in index.ts, for a stack whose state is gone. */
function idFromKey(name: string): string | undefined {
  const key = join(stackFolder(name), "id_ed25519.pub");
  return existsSync(key) ? stackIdOf(name, readFileSync(key, "utf8")) : undefined;
}
