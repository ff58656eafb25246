import { stringify } from "yaml";

/**
 * The parts of cloud-init's configuration that Kubewright sets.
 * Source: https://docs.cloud-init.io/en/latest/reference/modules.html
 */
export interface CloudConfig {
  hostname: string;
  manage_etc_hosts: boolean;
  /** False lets root log in, with the keys below only. */
  disable_root: boolean;
  ssh_pwauth: boolean;
  ssh_authorized_keys: string[];
  /** Removes the host keys of the image. */
  ssh_deletekeys: boolean;
  ssh_keys: { ed25519_private: string; ed25519_public: string };
}

export interface CloudInitOptions {
  hostname: string;
  /** Lines of authorized_keys. */
  authorizedKeys: string[];
  /** The machine's host key, in OpenSSH's format. */
  hostKey: { privateKey: string; publicKey: string };
}

/**
 * Returns the configuration for a machine's first boot. It sets the host key, so that the first connection can be
 * verified.
 */
export function cloudConfig({ hostname, authorizedKeys, hostKey }: CloudInitOptions): CloudConfig {
  return {
    hostname,
    manage_etc_hosts: true,
    disable_root: false,
    ssh_pwauth: false,
    ssh_authorized_keys: authorizedKeys,
    ssh_deletekeys: true,
    ssh_keys: { ed25519_private: hostKey.privateKey, ed25519_public: hostKey.publicKey },
  };
}

/** Renders user data for cloud providers. It contains a private key. */
export function userData(options: CloudInitOptions): string {
  return `#cloud-config\n${stringify(cloudConfig(options), { lineWidth: 0 })}`;
}
