import { authorityContract } from "../../contracts/pki/authority";
import { caCertHash } from "../pki/ca-cert-hash";
import { newAuthority } from "../pki/x509";
import { register, type Handler } from "../rpc/handler";

/** A certificate authority. It exists in the state only. A change replaces it and every certificate that it signed. */
const authority: Handler<typeof authorityContract> = {
  contract: authorityContract,
  replaceOn: ["commonName", "lifetimeDays"],
  deleteBeforeReplace: false,
  async create(context, { commonName, lifetimeDays }) {
    const made = await newAuthority(commonName, lifetimeDays);
    return { id: context.name, outputs: { ...made, hash: caCertHash(made.certificate) } };
  },
};

export const authorityResource = register(authority);
