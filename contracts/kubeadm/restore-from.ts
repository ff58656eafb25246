import { z } from "zod";
import { connectionSchema } from "../connection";
import { secret } from "../secret";
import { etcdutlSchema } from "./etcdutl";

/** How to read a repository of backups. */
export const repositorySchema = z.strictObject({
  /**
   * The repository of restic: a folder on the computer that runs Pulumi, `sftp:user@host:/path`,
   * `sftp://user@host:port//path` or `s3:https://...`.
   */
  repository: z.string().min(1),
  /** Password of the repository. */
  password: secret(z.string()),
  /** Access to a repository in S3. */
  s3: z
    .strictObject({
      /** Id of the access key. */
      accessKeyId: z.string(),
      /** Secret of the access key. */
      secretAccessKey: secret(z.string()),
      /**
       * File with the certificate of the authority that issued the server's certificate, PEM.
       * @default the authorities that the computer trusts
       */
      caFile: z.string().optional(),
    })
    .optional(),
  /** Access to a repository by SFTP. */
  sftp: z
    .strictObject({
      /**
       * File with the private key of the login.
       * @default the keys of the SSH agent, and those of `~/.ssh`
       */
      key: z.string().optional(),
      /**
       * Public host key of the server in OpenSSH's format. A server with another key is refused.
       * @default the key in `~/.ssh/known_hosts`
       */
      hostKey: z.string().optional(),
    })
    .optional(),
});
export type RepositorySettings = z.output<typeof repositorySchema>;

/** The backup from which a lost cluster is created again. */
export const restoreFromSchema = z.strictObject({
  /** Id of the backup, or `latest`. */
  backup: z.string().min(1),
  /** The repository that stores it. */
  repository: repositorySchema,
  /** Name of the stack whose backup it is. */
  stack: z.string(),
  /** etcdutl on the computer that runs Pulumi, which restores etcd's data. */
  etcdutl: etcdutlSchema,
  /** Connections to the other control planes. None of them may still have the cluster. */
  others: z.array(connectionSchema),
});
export type RestoreFrom = z.output<typeof restoreFromSchema>;
