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

/** The certificates that a cluster has on its rung, as the table in render/components/pki.ts says. */
export class Pki extends pulumi.ComponentResource {
  /** What service accounts' tokens are signed with; from the API server on. */
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
    // Which rows there are does not depend on addresses, which a preview may not know yet.
    const rows = certificateTable({ nodeName: "", addresses: [], serviceAddress: "", dnsDomain: "" });
    for (const row of rows.filter(({ since }) => reaches(rung, since))) {
      const whole = pulumi
        .output(names)
        .apply((known) => certificateTable(known).find((one) => one.name === row.name) ?? row);
      this.certificates.set(row.name, this.certificate(`${name}-${row.name}`, row, whole));
    }
    this.serviceAccounts = reaches(rung, "apiserver")
      ? new KeyPair(`${name}-service-accounts`, { parent: this })
      : undefined;
    this.registerOutputs({});
  }

  authority(name: AuthorityName): Authority {
    return found(this.authorities, name);
  }

  identity(name: CertificateName): Certificate {
    return found(this.certificates, name);
  }

  /** The files of certificates and their keys, in kubeadm's places. `chain` adds the authority's, for those who know its hash only. */
  files(names: readonly CertificateName[], chain: readonly CertificateName[] = []): Files {
    return Object.fromEntries(
      names.flatMap((name) => {
        const { certificate, key } = this.identity(name);
        const whole = chain.includes(name)
          ? pulumi.interpolate`${certificate}${this.authority("cluster").certificate}`
          : certificate;
        return [
          [`${pkiPath(name)}.crt`, { content: whole, mode: "0644" }],
          [`${pkiPath(name)}.key`, { content: key, mode: "0600" }],
        ];
      }),
    );
  }

  private certificate(name: string, row: CertificateRow, whole: pulumi.Output<CertificateRow>): Certificate {
    const authority = this.authority(row.authority);
    return new Certificate(
      name,
      {
        authorityCertificate: authority.certificate,
        authorityKey: authority.key,
        commonName: whole.commonName,
        organizations: [...(row.organizations ?? [])],
        usages: [...row.usages],
        dnsNames: whole.apply(({ dnsNames = [] }) => [...dnsNames]),
        ipAddresses: whole.apply(({ ipAddresses = [] }) => [...ipAddresses]),
        lifetimeDays: CERTIFICATE_DAYS,
      },
      { parent: this },
    );
  }
}

function found<K, V>(map: Map<K, V>, name: K): V {
  const value = map.get(name);
  if (value === undefined) throw new Error(`there is no ${String(name)} on this rung`);
  return value;
}
