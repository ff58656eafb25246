import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { basename } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { StepError } from "../common/errors";
import { parseJson } from "../common/json";
import { hashStream } from "./hash";
import { request, type Response } from "./http";
import { reasonOf } from "./source";

const ATTEMPTS = 3;

export interface DownloadOptions {
  signal: AbortSignal;
  /** Seconds without data after which an attempt fails. @default 30 */
  idleTimeout?: number;
  /** The user's next action when the download fails. */
  action: string;
}

/** An HTTP status that is not retried, such as 404. */
class PermanentError extends Error {}

/** Reads a response. Calls `onData` whenever data arrives, which restarts the idle timeout. */
type ReadResponse<T> = (response: Response, onData: () => void) => Promise<T>;

/**
 * Downloads a URL to a file and returns its SHA-256 in hex. Connection failures and server errors are retried twice.
 * @throws StepError that names the URL
 */
export async function downloadTo(url: string, path: string, options: DownloadOptions): Promise<string> {
  return requestWithRetries(url, options, async (response, onData) => {
    const hash = createHash("sha256");
    if (!response.body) throw new Error("the response has no body");
    await pipeline(Readable.fromWeb(response.body), hashStream(hash, onData), createWriteStream(path));
    return hash.digest("hex");
  });
}

/** Downloads a small text, such as a checksum file. @throws StepError that names the URL */
export async function downloadText(url: string, options: DownloadOptions): Promise<string> {
  return requestWithRetries(url, options, (response) => response.text());
}

async function requestWithRetries<T>(url: string, options: DownloadOptions, read: ReadResponse<T>): Promise<T> {
  const { default: retry } = await import("p-retry");
  let attempts = 0;
  const attempt = (number: number) => {
    attempts = number;
    return requestOnce(url, options, read);
  };
  try {
    return await retry(attempt, {
      retries: ATTEMPTS - 1,
      minTimeout: 100,
      randomize: true,
      signal: options.signal,
      shouldRetry: ({ error }) => !(error instanceof PermanentError),
    });
  } catch (error) {
    options.signal.throwIfAborted();
    const count = attempts > 1 ? ` (${attempts} attempts)` : "";
    throw new StepError({ step: `download ${url}`, cause: `${reasonOf(error)}${count}`, action: options.action });
  }
}

async function requestOnce<T>(url: string, options: DownloadOptions, read: ReadResponse<T>): Promise<T> {
  const idle = new AbortController();
  const seconds = options.idleTimeout ?? 30;
  const timer = setTimeout(() => idle.abort(new Error(`no data received for ${seconds} s`)), seconds * 1000);
  try {
    const response = await request(url, { signal: AbortSignal.any([options.signal, idle.signal]) });
    if (!response.ok) throw statusError(response.status);
    return await read(response, () => timer.refresh());
  } finally {
    clearTimeout(timer);
  }
}

function statusError(status: number): Error {
  const message = `the server returned HTTP ${status}`;
  return status >= 500 || status === 429 ? new Error(message) : new PermanentError(message);
}

/**
 * Finds the SHA-256 of one file in a published checksum file. The file holds one bare sum, lines `<sum>  <name>`
 * (SHA256SUMS, *.sha256sum), or the JSON of a GitHub release. Returns undefined when the file is not listed.
 */
export function findPublishedSum(text: string, file: string): string | undefined {
  if (text.trimStart().startsWith("{")) return findReleaseSum(text, file);
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
  for (const line of lines) {
    const match = /^([0-9a-fA-F]{64})\s+\*?(\S+)$/.exec(line);
    if (match?.[1] && basename(match[2] ?? "") === file) return match[1].toLowerCase();
  }
  const bare = lines.length === 1 ? /^[0-9a-fA-F]{64}$/.exec(lines[0] ?? "") : null;
  return bare?.[0].toLowerCase();
}

const releaseSchema = z.object({ assets: z.array(z.object({ name: z.string(), digest: z.string().nullish() })) });

/** `digest` is `sha256:<hex>`. Source: https://docs.github.com/en/rest/releases/assets */
function findReleaseSum(text: string, file: string): string | undefined {
  const assets = releaseSchema.safeParse(parseJson(text)).data?.assets ?? [];
  const digest = assets.find(({ name }) => name === file)?.digest ?? "";
  return /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
}
