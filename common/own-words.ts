/** Set by commands that foretell a whole run in words of their own: the provider then has none for each resource. */
export const OWN_WORDS = "KUBEWRIGHT_OWN_WORDS";
