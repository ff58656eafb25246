/**
 * Returns the results once all promises are settled, so that nothing goes on in the background after a failure.
 * @throws the first error
 */
export async function settleAll<T>(promises: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(promises);
  return await Promise.all(promises);
}
