import { z } from "zod";
import { caCertHash } from "../pki/ca-cert-hash";
import { newAuthority } from "../pki/x509";
import { register, type Handler } from "../rpc/handler";

const schema = z.strictObject({
  commonName: z.string().min(1),
  lifetimeDays: z.int().positive(),
});

type AuthorityInputs = z.infer<typeof schema>;
interface AuthorityOutputs {
  /** PEM. */
  certificate: string;
  key: string;
  /** `sha256:<hex>` of its public key: what a joining node verifies. */
  hash: string;
}

/** A certificate authority. It is in the state only; a change makes another one, and with it everything that it signed. */
const authority: Handler<AuthorityInputs, AuthorityOutputs> = {
  schema,
  outputs: ["certificate", "key", "hash"],
  secretOutputs: ["key"],
  replaceOn: ["commonName", "lifetimeDays"],
  deleteBeforeReplace: false,
  async create(context, { commonName, lifetimeDays }) {
    const made = await newAuthority(commonName, lifetimeDays);
    return { id: context.name, outputs: { ...made, hash: caCertHash(made.certificate) } };
  },
};

export const authorityResource = register(authority);
