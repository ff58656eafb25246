import type { Inputs } from "../../contracts/contract";
import { kubeadmEndpointContract } from "../../contracts/kubeadm/endpoint";
import { changeAdminEndpoint, changeSharedEndpoint, readSharedEndpoints } from "../kubeadm/shared-endpoint";
import { readCluster } from "./read-cluster";
import { adoptById, register, type Context, type Handler } from "../rpc/handler";

async function apply(context: Context, inputs: Inputs<typeof kubeadmEndpointContract>): Promise<void> {
  const { controlPlanes, endpoint, timeout } = inputs;
  const { connections, kube, signal, status } = context;
  context.begin();
  const machines = controlPlanes.map((connection) => connections.get(connection));
  await Promise.all(machines.map((machine) => changeAdminEndpoint(machine, endpoint, signal)));
  await changeSharedEndpoint(await kube.api(controlPlanes, signal), { endpoint, timeout, signal, status });
}

/** The address of the API server in what all nodes share. */
const kubeadmEndpoint: Handler<typeof kubeadmEndpointContract> = {
  contract: kubeadmEndpointContract,
  replaceOn: ["caCertHash"],
  ignore: ["controlPlanes", "timeout"],
  async create(context, inputs) {
    await apply(context, inputs);
    return { id: context.name, outputs: {} };
  },
  adopt: adoptById((_inputs, { name }) => name),
  async update(context, _id, inputs) {
    await apply(context, inputs);
    return {};
  },
  read: (context, _id, old) =>
    readCluster(context, old, async () => {
      const api = await context.kube.api(old.inputs.controlPlanes, context.signal);
      const endpoints = await readSharedEndpoints(api, context.signal);
      const changed = endpoints.find((endpoint) => endpoint !== old.inputs.endpoint);
      return { ...old, inputs: { ...old.inputs, endpoint: changed ?? old.inputs.endpoint } };
    }),
};

export const kubeadmEndpointResource = register(kubeadmEndpoint);
