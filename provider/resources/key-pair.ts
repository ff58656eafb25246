import { keyPairContract } from "../../contracts/pki/key-pair";
import { createKeyPair } from "../pki/x509";
import { register, type Handler } from "../rpc/handler";

/** A key pair without a certificate, which signs the tokens of service accounts. */
const keyPair: Handler<typeof keyPairContract> = {
  contract: keyPairContract,
  async create(context) {
    return { id: context.name, outputs: await createKeyPair() };
  },
};

export const keyPairResource = register(keyPair);
