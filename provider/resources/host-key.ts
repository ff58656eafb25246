import { z } from "zod";
import { register, type Handler } from "../rpc/handler";
import { newKeyPair } from "../ssh/key-pair";

const schema = z.strictObject({
  /** The machine that is to be known by it. */
  machine: z.string().min(1),
});

type HostKeyInputs = z.infer<typeof schema>;
interface HostKeyOutputs {
  /** In OpenSSH's form; a secret of the state. */
  privateKey: string;
  /** `ssh-ed25519 AAAA...` */
  publicKey: string;
}

/** The key by which a machine is known, made before the machine is: for kinds that can give it to them when they first boot. */
const hostKey: Handler<HostKeyInputs, HostKeyOutputs> = {
  schema,
  outputs: ["privateKey", "publicKey"],
  secretOutputs: ["privateKey"],
  replaceOn: ["machine"],
  create(_context, { machine }) {
    const pair = newKeyPair();
    const publicKey = pair.public.trim().split(/\s+/).slice(0, 2).join(" ");
    return Promise.resolve({ id: `${machine}/host-key`, outputs: { privateKey: pair.private, publicKey } });
  },
};

export const hostKeyResource = register(hostKey);
