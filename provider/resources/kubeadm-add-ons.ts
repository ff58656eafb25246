import type { Inputs } from "../../contracts/contract";
import { addOnsContract } from "../../contracts/kubeadm/add-ons";
import { CORE_DNS, KUBE_PROXY, readImage, rollImage } from "../kubeadm/add-ons";
import { adoptById, register, type Context, type Handler } from "../rpc/handler";
import { readCluster } from "./read-cluster";

type AddOnsInputs = Inputs<typeof addOnsContract>;
const ID = "kubeadm-add-ons";

async function apply(context: Context, inputs: AddOnsInputs): Promise<void> {
  const { controlPlanes, kubeProxy, coreDns, timeout } = inputs;
  const api = await context.kube.api(controlPlanes, context.signal);
  context.begin(ID);
  await rollImage(context, api, { addOn: KUBE_PROXY, image: kubeProxy, timeout });
  await rollImage(context, api, { addOn: CORE_DNS, image: coreDns, timeout });
}

/** The images of kube-proxy and CoreDNS, which kubeadm deploys. */
const addOns: Handler<typeof addOnsContract> = {
  contract: addOnsContract,
  replaceOn: ["caCertHash"],
  ignore: ["controlPlanes", "timeout"],
  async create(context, inputs) {
    await apply(context, inputs);
    return { id: ID, outputs: {} };
  },
  adopt: adoptById(() => ID),
  async update(context, _id, inputs) {
    await apply(context, inputs);
    return {};
  },
  read: (context, _id, old) =>
    readCluster(context, old, async () => {
      const { inputs } = old;
      const api = await context.kube.api(inputs.controlPlanes, context.signal);
      const [kubeProxy = "missing", coreDns = "missing"] = await Promise.all(
        [KUBE_PROXY, CORE_DNS].map((addOn) => readImage(api, addOn, context.signal)),
      );
      return { inputs: { ...inputs, kubeProxy, coreDns }, outputs: {} };
    }),
};

export const addOnsResource = register(addOns);
