type MaybeUndefinedKey<T> = { [K in keyof T]-?: undefined extends T[K] ? K : never }[keyof T];

/** `T` whose properties of a type with `undefined` are optional instead, and never `undefined` where they are set. */
export type Optional<T> = Omit<T, MaybeUndefinedKey<T>> & {
  [K in MaybeUndefinedKey<T>]?: Exclude<T[K], undefined>;
};

/**
 * Returns a copy without the properties whose value is `undefined`; other values, `null` and `false` included, stay.
 * @example { port: 22, ...optional({ user, jumpHost }) }
 */
export function optional<T extends object>(properties: T): Optional<T> {
  const entries = Object.entries(properties).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Optional<T>;
}
