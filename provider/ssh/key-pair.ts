import { utils } from "ssh2";

export interface KeyPair {
  /** OpenSSH's form. */
  private: string;
  /** `ssh-ed25519 AAAA... comment` */
  public: string;
}

/**
 * A new ed25519 pair. One in 256 of those that ssh2 1.17 makes cannot be read again, by itself or by OpenSSH: it drops a zero byte at an end of
 * the public half. Such a pair is thrown away.
 */
export function newKeyPair(comment = ""): KeyPair {
  for (;;) {
    const pair = utils.generateKeyPairSync("ed25519", { comment });
    if (!(utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}
