import { stringify } from "yaml";

/** The parts of cloud-init's configuration that a machine of ours is made with. https://docs.cloud-init.io/en/latest/reference/modules.html */
export interface CloudConfig {
  hostname: string;
  manage_etc_hosts: boolean;
  /** Root is let in, with the keys below and with nothing else. */
  disable_root: boolean;
  ssh_pwauth: boolean;
  ssh_authorized_keys: string[];
  /** Those that the image came with go. */
  ssh_deletekeys: boolean;
  ssh_keys: { ed25519_private: string; ed25519_public: string };
}

export interface CloudInitOptions {
  hostname: string;
  /** Who may log in: lines of authorized_keys. */
  authorizedKeys: string[];
  /** The key by which the machine is known, in OpenSSH's form. */
  hostKey: { privateKey: string; publicKey: string };
}

/** What a machine does when it first boots, so that the very first connection is verified. */
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

/** User data as clouds take it. It holds a private key. */
export function userData(options: CloudInitOptions): string {
  return `#cloud-config\n${stringify(cloudConfig(options), { lineWidth: 0 })}`;
}
