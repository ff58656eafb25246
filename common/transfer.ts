/** How files reach machines: copied from the computer that runs Pulumi, or downloaded by the machines. */
export const TRANSFERS = ["auto", "push", "pull"] as const;

export type Transfer = (typeof TRANSFERS)[number];

export const DEFAULT_TRANSFER: Transfer = "auto";
