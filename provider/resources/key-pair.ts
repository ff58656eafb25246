import { z } from "zod";
import { newKeyPair } from "../pki/x509";
import { register, type Handler } from "../rpc/handler";

const schema = z.strictObject({});
interface KeyPairOutputs {
  /** PEM. */
  publicKey: string;
  privateKey: string;
}

/** A key pair without a certificate: what service accounts' tokens are signed with. */
const keyPair: Handler<Record<string, never>, KeyPairOutputs> = {
  schema,
  outputs: ["publicKey", "privateKey"],
  secretOutputs: ["privateKey"],
  async create(context) {
    return { id: context.name, outputs: newKeyPair() };
  },
};

export const keyPairResource = register(keyPair);
