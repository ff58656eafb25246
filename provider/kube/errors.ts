/** The HTTP status of an error of the API client, or undefined: the connection broke, say. */
export function statusOf(error: unknown): number | undefined {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  return typeof code === "number" ? code : undefined;
}

/** What the API server said, without the client's dump of headers (which hold nothing that helps). */
export function reasonOf(error: unknown): string {
  if (statusOf(error) === undefined) return error instanceof Error ? error.message : String(error);
  const body = (error as { body?: unknown }).body;
  const parsed = typeof body === "string" ? parse(body) : body;
  const message = typeof parsed === "object" && parsed !== null && "message" in parsed ? parsed.message : undefined;
  return typeof message === "string" ? message : `HTTP ${statusOf(error)}`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Undefined instead of a 404. */
export async function ignoreNotFound<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw error;
  }
}

/** For a wait: what a look found, or why it found nothing, as the cause if time runs out meanwhile. */
export async function readWithCause<T>(
  request: Promise<T>,
  found: (answer: T | undefined) => string,
): Promise<{ answer?: T | undefined; cause: string }> {
  try {
    const answer = await ignoreNotFound(request);
    return { answer, cause: found(answer) };
  } catch (error) {
    return { cause: `the API server does not answer: ${reasonOf(error)}` };
  }
}

/** Worth another try: the server starts, is overloaded, or the connection broke. */
export function isTransient(error: unknown): boolean {
  const status = statusOf(error);
  return status === undefined || status === 429 || status >= 500 || isBeforeRbacSync(error);
}

/** An API server that has just started has not read the roles yet, and refuses even its administrator, who may do everything. */
function isBeforeRbacSync(error: unknown): boolean {
  return statusOf(error) === 403 && /User "[^"]*" cannot /.test(reasonOf(error));
}
