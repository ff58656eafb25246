import { hostKeyContract } from "../../contracts/local/host-key";
import { register, type Handler } from "../rpc/handler";
import { newKeyPair } from "../ssh/key-pair";

/** An SSH host key that is generated before its machine, for machine kinds that can install it at the first boot. */
const hostKey: Handler<typeof hostKeyContract> = {
  contract: hostKeyContract,
  replaceOn: ["machine"],
  create(_context, { machine }) {
    const pair = newKeyPair();
    const publicKey = pair.public.trim().split(/\s+/).slice(0, 2).join(" ");
    return Promise.resolve({ id: `${machine}/host-key`, outputs: { privateKey: pair.private, publicKey } });
  },
};

export const hostKeyResource = register(hostKey);
