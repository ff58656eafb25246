import type { ClusterStatus } from "../../cli/nodes/cluster-status";
import type { TestStack } from "./test-stack";

/** Returns what `npm run status -- --json` prints. npm may print its own lines before it. */
export async function readStatus(stack: TestStack): Promise<ClusterStatus> {
  const { text } = await stack.npmRunQuietly("status", "--json");
  return JSON.parse(text.slice(text.indexOf("{"), text.lastIndexOf("}") + 1)) as ClusterStatus;
}
