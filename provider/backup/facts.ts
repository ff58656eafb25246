import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { StepError } from "../../common/errors";
import { parseJson } from "../../common/json";
import { contentSchema } from "./snapshot-content";
import { userCommand } from "../../common/user-command";

/** File of the facts in a backup. */
const FACTS_FILE = "cluster.json";

const factsSchema = z.object({
  /** Name of the stack. */
  stack: z.string(),
  /** When the snapshot was taken, ISO 8601. */
  time: z.iso.datetime(),
  /** Control plane on which the snapshot was taken. */
  node: z.string(),
  /** Version of Kubernetes, without the `v`. */
  kubernetes: z.string(),
  /** SHA-256 of the cluster's CA certificate, hex. It identifies the cluster. */
  caHash: z.string(),
  /** Names of the nodes. */
  nodes: z.array(z.string()),
  /** What etcd had. */
  content: contentSchema,
});

/** Facts about a cluster at the time of a backup, which a drill and a restore compare with what they find. */
export type BackupFacts = z.infer<typeof factsSchema>;

export async function writeFacts(folder: string, facts: BackupFacts): Promise<void> {
  await writeFile(join(folder, FACTS_FILE), `${JSON.stringify(facts, undefined, 2)}\n`, { mode: 0o600 });
}

export async function readFacts(folder: string): Promise<BackupFacts> {
  const text = await readFile(join(folder, FACTS_FILE), "utf8").catch(() => "");
  const facts = factsSchema.safeParse(parseJson(text)).data;
  if (facts) return facts;
  throw new StepError({
    step: "reading the backup",
    cause: `it has no valid ${FACTS_FILE}: \`${userCommand("backup")}\` did not create it`,
    action: `use another backup: \`${userCommand("backup list")}\` lists them`,
  });
}
