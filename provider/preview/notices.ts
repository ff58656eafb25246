/** Begins the warning about a machine or node that cannot be read, which makes `npm run drift` incomplete. */
export const NOT_READ = "not read";
