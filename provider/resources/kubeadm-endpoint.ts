import type { Inputs } from "../../contracts/contract";
import { kubeadmEndpointContract } from "../../contracts/kubeadm/endpoint";
import { messageOf } from "../../common/errors";
import { changeAdminEndpoint, changeSharedEndpoint, readSharedEndpoints } from "../kubeadm/shared-endpoint";
import { NOT_READ } from "../preview/notices";
import { register, type Context, type Handler } from "../rpc/handler";

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
  async update(context, _id, inputs) {
    await apply(context, inputs);
    return {};
  },
  async read(context, _id, old) {
    try {
      const api = await context.kube.api(old.inputs.controlPlanes, context.signal);
      const endpoints = await readSharedEndpoints(api, context.signal);
      const changed = endpoints.find((endpoint) => endpoint !== old.inputs.endpoint);
      return { inputs: { ...old.inputs, endpoint: changed ?? old.inputs.endpoint }, outputs: {} };
    } catch (error) {
      context.warn(`${NOT_READ}; its recorded state is kept: ${messageOf(error)}`);
      return old;
    }
  },
};

export const kubeadmEndpointResource = register(kubeadmEndpoint);
