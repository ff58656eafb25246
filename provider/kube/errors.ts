import { parseJson } from "../../common/json";

/** Returns the HTTP status of an API client's error, or undefined when there was no response. */
export function statusOf(error: unknown): number | undefined {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "number" ? code : undefined;
}

/** Returns the message of the API server's Status object, without the response headers that the client adds to it. */
export function reasonOf(error: unknown): string {
  if (statusOf(error) === undefined) return error instanceof Error ? error.message : String(error);
  const body = (error as { body?: unknown }).body;
  const parsed = typeof body === "string" ? parseJson(body) : body;
  const message = typeof parsed === "object" && parsed !== null && "message" in parsed ? parsed.message : undefined;
  return typeof message === "string" ? message : `HTTP ${statusOf(error)}`;
}

/** Resolves to undefined when the API server answers 404. */
export async function ignoreNotFound<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/**
 * Reads an object for a wait loop. Never rejects: a failure becomes the cause that the loop reports at its deadline.
 * @param describe describes the object, or its absence
 */
export async function readWithCause<T>(
  request: Promise<T>,
  describe: (answer: T | undefined) => string,
): Promise<{ answer?: T | undefined; cause: string }> {
  try {
    const answer = await ignoreNotFound(request);
    return { answer, cause: describe(answer) };
  } catch (error) {
    return { cause: `the API server does not answer: ${reasonOf(error)}` };
  }
}

/** Returns whether another attempt may succeed: broken connection, starting or overloaded API server. */
export function isTransient(error: unknown): boolean {
  const status = statusOf(error);
  return status === undefined || status === 429 || status >= 500 || isBeforeRbacSync(error);
}

/** A new API server refuses even administrators until it has loaded its RBAC roles. */
function isBeforeRbacSync(error: unknown): boolean {
  return statusOf(error) === 403 && /User "[^"]*" cannot /.test(reasonOf(error));
}
