import type { Inputs } from "../../contracts/contract";
import { leftoversContract } from "../../contracts/host/leftovers";
import { leftoversScript } from "../../render/leftovers";
import { waitUntilStopped } from "../host/containers";
import { MACHINE_IGNORE, MACHINE_REPLACE_ON, findMachine } from "../host/on-machine";
import { adoptById, register, type Handler } from "../rpc/handler";

type LeftoversInputs = Inputs<typeof leftoversContract>;

/** Containers whose pods change the machine's network, by the kind of leftovers. */
const CONTAINERS: Partial<Record<LeftoversInputs["of"], string>> = {
  "kube-proxy": "kube-proxy",
  flannel: "kube-flannel",
};
const STOP_SECONDS = 120;
const CLEAN_SECONDS = 60;

const idOf = ({ instance, of }: LeftoversInputs) => `${instance}/remains/${of}`;

/**
 * Removes what a component leaves on a machine: firewall rules, routes and network links. Creation does nothing. The
 * resource is created before the component, and is therefore deleted after it.
 */
const leftovers: Handler<typeof leftoversContract> = {
  contract: leftoversContract,
  replaceOn: [...MACHINE_REPLACE_ON, "of"],
  ignore: MACHINE_IGNORE,
  create: async (_context, inputs) => ({ id: idOf(inputs), outputs: {} }),
  adopt: adoptById(idOf),
  update: async () => ({}),
  async delete(context, _id, { inputs }) {
    const machine = await findMachine(context, inputs);
    if (!machine) return;
    const { signal } = context;
    const container = CONTAINERS[inputs.of];
    if (container)
      await waitUntilStopped(machine, "io.kubernetes.container.name", container, { signal, timeout: STOP_SECONDS });
    await machine.run(leftoversScript([inputs.of]), {
      step: `removing what ${inputs.of} left`,
      signal,
      timeout: CLEAN_SECONDS,
    });
  },
};

export const leftoversResource = register(leftovers);
