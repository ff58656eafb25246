import * as pulumi from "@pulumi/pulumi";
import { Authority, Certificate, KeyPair } from "../../sdk/pki";
import {
  AUTHORITIES,
  AUTHORITY_DAYS,
  CERTIFICATE_DAYS,
  type AuthorityName,
  type CertificateName,
  type CertificateOptions,
  type CertificateRow,
  certificateTable,
  pkiPath,
} from "../../render/components/pki";
import { type Rung, reaches } from "../../render/rung";

export interface PkiArgs {
  rung: Rung;
  names: pulumi.Input<CertificateOptions>;
}

type Files = Record<string, { content: pulumi.Input<string>; mode: string }>;

/** The certificates of a cluster on its rung. Which ones: `certificateTable` in render/components/pki.ts. */
export class Pki extends pulumi.ComponentResource {
  /** Signs the tokens of service accounts; defined from the rung `apiserver` on. */
  readonly serviceAccounts: KeyPair | undefined;
  private readonly authorities = new Map<AuthorityName, Authority>();
  private readonly certificates = new Map<CertificateName, Certificate>();

  constructor(name: string, { rung, names }: PkiArgs, options?: pulumi.ComponentResourceOptions) {
    super("kubewright:components:Pki", name, {}, options);
    for (const row of AUTHORITIES.filter(({ since }) => reaches(rung, since))) {
      this.authorities.set(
        row.name,
        new Authority(
          `${name}-${row.name}-ca`,
          { commonName: row.commonName, lifetimeDays: AUTHORITY_DAYS },
          { parent: this },
        ),
      );
    }
    // The set of certificates does not depend on the addresses in them, which a preview may not know yet.
    const rows = certificateTable({ nodeName: "", addresses: [], serviceAddress: "", dnsDomain: "" });
    for (const row of rows.filter(({ since }) => reaches(rung, since))) {
      const withNames = pulumi
        .output(names)
        .apply((options) => certificateTable(options).find((each) => each.name === row.name) ?? row);
      this.certificates.set(row.name, this.certificate(`${name}-${row.name}`, row, withNames));
    }
    this.serviceAccounts = reaches(rung, "apiserver")
      ? new KeyPair(`${name}-service-accounts`, { parent: this })
      : undefined;
    this.registerOutputs({});
  }

  authority(name: AuthorityName): Authority {
    return existing(this.authorities, name);
  }

  identity(name: CertificateName): Certificate {
    return existing(this.certificates, name);
  }

  /**
   * The files of certificates and their keys, at kubeadm's paths.
   * @param chain Certificates whose file also has the CA's certificate, for clients that only have its hash.
   */
  files(names: readonly CertificateName[], chain: readonly CertificateName[] = []): Files {
    return Object.fromEntries(
      names.flatMap((name) => {
        const { certificate, key } = this.identity(name);
        const content = chain.includes(name)
          ? pulumi.interpolate`${certificate}${this.authority("cluster").certificate}`
          : certificate;
        return [
          [`${pkiPath(name)}.crt`, { content, mode: "0644" }],
          [`${pkiPath(name)}.key`, { content: key, mode: "0600" }],
        ];
      }),
    );
  }

  /** @param withNames The same row, once names and addresses are known. */
  private certificate(name: string, row: CertificateRow, withNames: pulumi.Output<CertificateRow>): Certificate {
    const authority = this.authority(row.authority);
    return new Certificate(
      name,
      {
        authorityCertificate: authority.certificate,
        authorityKey: authority.key,
        commonName: withNames.commonName,
        organizations: [...(row.organizations ?? [])],
        usages: [...row.usages],
        dnsNames: withNames.apply(({ dnsNames = [] }) => [...dnsNames]),
        ipAddresses: withNames.apply(({ ipAddresses = [] }) => [...ipAddresses]),
        lifetimeDays: CERTIFICATE_DAYS,
      },
      { parent: this },
    );
  }
}

function existing<K, V>(map: Map<K, V>, name: K): V {
  const value = map.get(name);
  if (value === undefined) throw new Error(`this rung has no certificate ${String(name)}`);
  return value;
}
