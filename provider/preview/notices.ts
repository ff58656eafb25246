/** Begins the warning about a machine or node that cannot be read, which makes `npm run drift` incomplete. */
export const NOT_READ = "not read";

/** Path that a resource reports as changed when the time has come to renew its certificates. */
export const RENEW_AFTER = "renewAfter";
