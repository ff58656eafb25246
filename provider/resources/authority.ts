import { authorityContract } from "../../contracts/pki/authority";
import { caCertHash } from "../pki/ca-cert-hash";
import { createAuthority } from "../pki/x509";
import { register, type Handler } from "../rpc/handler";

/** A certificate authority, kept in the state only. A change replaces it and every certificate that it signed. */
const authority: Handler<typeof authorityContract> = {
  contract: authorityContract,
  replaceOn: ["commonName", "lifetimeDays"],
  deleteBeforeReplace: false,
  async create(context, { commonName, lifetimeDays }) {
    const identity = await createAuthority(commonName, lifetimeDays);
    return { id: context.name, outputs: { ...identity, hash: caCertHash(identity.certificate) } };
  },
};

export const authorityResource = register(authority);
