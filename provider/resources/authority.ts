import { authorityContract } from "../../contracts/pki/authority";
import { caCertHash } from "../pki/ca-cert-hash";
import { newAuthority } from "../pki/x509";
import { register, type Handler } from "../rpc/handler";

/** A certificate authority. It is in the state only; a change makes another one, and with it everything that it signed. */
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
