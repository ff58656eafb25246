import { utils } from "ssh2";

export interface KeyPair {
  /** In OpenSSH's format. */
  private: string;
  /** `ssh-ed25519 AAAA... comment` */
  public: string;
}

/**
 * Creates an ed25519 key pair. One in 256 pairs of ssh2 1.17 can be read neither by itself nor by OpenSSH, because it
 * drops a zero byte at the end of the public half. Such a pair is discarded.
 */
export function newKeyPair(comment = ""): KeyPair {
  for (;;) {
    const pair = utils.generateKeyPairSync("ed25519", { comment });
    if (!(utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}
