import { optional } from "../../common/optional";
import type { Context, Recorded } from "../rpc/handler";
import { readCluster } from "./read-cluster";

/** A setting of the whole cluster: a resource without outputs, of which a cluster has one. */
export interface ClusterSetting<I> {
  id: string;
  /** Brings the setting about. Idempotent. */
  apply(context: Context, inputs: I): Promise<void>;
  /** Returns what differs from the inputs; undefined if nothing does. */
  findProblem(context: Context, inputs: I): Promise<string | undefined>;
}

type NoOutputs = Record<string, never>;

/** Returns `create`, `update` and `read` of a setting's handler. A refresh records a problem as an input. */
export function clusterSetting<I extends { problem?: string | undefined }>(setting: ClusterSetting<I>) {
  const { id } = setting;
  return {
    async create(context: Context, inputs: I): Promise<{ id: string; outputs: NoOutputs }> {
      await setting.apply(context, inputs);
      return { id, outputs: {} };
    },
    async update(context: Context, _id: string, inputs: I): Promise<NoOutputs> {
      await setting.apply(context, inputs);
      return {};
    },
    read: (context: Context, _id: string, old: Recorded<I, NoOutputs>): Promise<Recorded<I, NoOutputs> | undefined> =>
      readCluster(context, old, async () => {
        const inputs = { ...old.inputs };
        delete inputs.problem;
        const problem = await setting.findProblem(context, inputs);
        return { ...old, inputs: { ...inputs, ...optional({ problem }) } };
      }),
  };
}
