import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { StepError } from "../../common/errors";
import { silent } from "../../common/progress";
import { changeFile, readText, writeText } from "../../provider/kube/kubeconfig-file";
import { KubeconfigDocument } from "../../provider/kube/kubeconfig-document";
import { putEntries, readAdminEntries } from "../../provider/kube/kubeconfig-merge";
import { stackFolder } from "./paths";

/** Name of a stack's cluster, user and context in the user's kubeconfig. */
export const contextName = (stack: string) => `kubewright-${stack}`;

/** The user's kubeconfig: the first file of KUBECONFIG, or ~/.kube/config. */
export function userKubeconfig(): string {
  const [first] = (process.env.KUBECONFIG ?? "").split(delimiter).filter(Boolean);
  return resolve(first ?? join(homedir(), ".kube", "config"));
}

/**
 * Adds the cluster of a stack to the user's kubeconfig, and makes it the current context.
 * @param source the stack's own kubeconfig
 * @returns the path of the user's kubeconfig
 * @throws StepError where the name belongs to another cluster
 */
export async function mergeKubeconfig(stack: string, source: string, target = userKubeconfig()): Promise<string> {
  if (target === source) throw refusal(`KUBECONFIG is the cluster's own kubeconfig`, "unset KUBECONFIG");
  const name = contextName(stack);
  const admin = readAdminEntries(readFileSync(source, "utf8"));
  await change(target, (document) => {
    if (!isRecorded(stack, target) && document.find("cluster", name))
      throw refusal(
        `${target} already has a cluster named ${name}`,
        `remove it with \`kubectl config delete-cluster\``,
      );
    putEntries(document, admin, { cluster: name, user: name, context: name });
    document.currentContext = name;
  });
  writeFileSync(recordFile(stack), JSON.stringify({ target }));
  return target;
}

/** Removes the cluster of a stack from the kubeconfig that it was added to. Returns the path of that file. */
export async function unmergeKubeconfig(stack: string): Promise<string | undefined> {
  const target = recordedTarget(stack);
  rmSync(recordFile(stack), { force: true });
  if (target === undefined || !existsSync(target)) return undefined;
  const name = contextName(stack);
  await change(target, (document) => {
    for (const kind of ["cluster", "user", "context"] as const) document.remove(kind, name);
    if (document.currentContext === name) document.currentContext = "";
  });
  return target;
}

/** Changes the file as the resource does: under kubectl's lock, in one step, and through a symbolic link. */
async function change(file: string, edit: (document: KubeconfigDocument) => void): Promise<void> {
  await changeFile({ status: silent, signal: new AbortController().signal }, file, async () => {
    const document = KubeconfigDocument.parse((await readText(file)) ?? "");
    if (!document) throw refusal(`${file} is not a kubeconfig`, "repair it, or select another file with KUBECONFIG");
    edit(document);
    await writeText(file, document.toString());
  });
}

const recordFile = (stack: string) => join(stackFolder(stack), "merged-kubeconfig.json");

function recordedTarget(stack: string): string | undefined {
  if (!existsSync(recordFile(stack))) return undefined;
  return (JSON.parse(readFileSync(recordFile(stack), "utf8")) as { target: string }).target;
}

function isRecorded(stack: string, target: string): boolean {
  return recordedTarget(stack) === target;
}

function refusal(cause: string, action: string): StepError {
  return new StepError({ step: "merging the kubeconfig", cause, action });
}
