import { DAY_MS } from "../../common/duration";
import type { Inputs, Outputs } from "../../contracts/contract";
import { certificateContract } from "../../contracts/pki/certificate";
import { X509Certificate } from "node:crypto";
import { createCertificate } from "../pki/x509";
import { register, type Handler, type Recorded } from "../rpc/handler";

type CertificateInputs = Inputs<typeof certificateContract>;
type CertificateOutputs = Outputs<typeof certificateContract>;

/** The same limit as in `npm run status`. Certificates with a shorter lifetime are renewed in their last third. */
const RENEW_DAYS = 30;

async function issueCertificate({
  authorityCertificate,
  authorityKey,
  lifetimeDays,
  ...request
}: CertificateInputs): Promise<CertificateOutputs> {
  const identity = await createCertificate(
    { certificate: authorityCertificate, key: authorityKey },
    { ...request, days: lifetimeDays },
  );
  return { ...identity, notAfter: new Date(new X509Certificate(identity.certificate).validTo).toISOString() };
}

/** Returns whether a certificate is in its last 30 days, or in the last third of a shorter lifetime. */
function expiresSoon({ inputs, outputs }: Recorded<CertificateInputs, CertificateOutputs>): boolean {
  const left = Date.parse(outputs.notAfter) - Date.now();
  return left < Math.min(RENEW_DAYS, inputs.lifetimeDays / 3) * DAY_MS;
}

/** A private key and its certificate. `up` renews it before it expires, and a preview shows that. */
const certificate: Handler<typeof certificateContract> = {
  contract: certificateContract,
  replaceOn: [],
  async create(context, inputs) {
    return { id: context.name, outputs: await issueCertificate(inputs) };
  },
  update: (_context, _id, inputs) => issueCertificate(inputs),
  extraChanges: async (_inputs, old) => (expiresSoon(old) ? ["lifetimeDays"] : []),
  // An update happens only if something changes, so it always issues a new certificate.
  predict: () => ({}),
};

export const certificateResource = register(certificate);
