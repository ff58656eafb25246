/**
 * Cipher suites of TLS 1.2 with forward secrecy and authenticated encryption. The suites of TLS 1.3 are not
 * configurable. Source: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/
 */
export const CIPHER_SUITES: readonly string[] = [
  "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
  "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
  "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
  "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
  "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
  "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
];

/** Older versions are not secure. It is also the default of Kubernetes. */
export const MIN_TLS_VERSION = "VersionTLS12";
