import fc from "fast-check";

/**
 * fast-check for all property tests. Without `KUBEWRIGHT_FUZZ` the seed is fixed, so that each run checks the same
 * cases, and is red only because of a change. With it, each run draws other cases; a failure prints its seed.
 */
if (process.env.KUBEWRIGHT_FUZZ === undefined) fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 1 });

export { fc };
