import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { basename } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { StepError } from "../common/errors";
import { backoff } from "../common/wait";
import { hashing } from "./hash";
import { request, type Response } from "./http";
import { reasonOf } from "./source";

const TRIES = 3;

export interface DownloadOptions {
  signal: AbortSignal;
  /** Seconds without one byte after which the connection is given up; default 30. */
  idleTimeout?: number;
  /** What a person does when the address cannot be had. */
  action: string;
}

/** The server said no: asking again is no use. */
class Refused extends Error {}

/**
 * Streams a URL into a file and returns its sha256. Three tries with growing pauses when the connection fails or the server errs.
 * Throws a StepError that names the URL.
 */
export async function downloadTo(url: string, path: string, options: DownloadOptions): Promise<string> {
  return persistently(url, options, async (response, beat) => {
    const hash = createHash("sha256");
    if (!response.body) throw new Error("the answer has no content");
    await pipeline(Readable.fromWeb(response.body), hashing(hash, beat), createWriteStream(path));
    return hash.digest("hex");
  });
}

/** A small text, such as a checksum file. */
export async function downloadText(url: string, options: DownloadOptions): Promise<string> {
  return persistently(url, options, (response) => response.text());
}

async function persistently<T>(
  url: string,
  options: DownloadOptions,
  read: (response: Response, beat: () => void) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await once(url, options, read);
    } catch (error) {
      options.signal.throwIfAborted();
      if (attempt < TRIES && !(error instanceof Refused)) {
        await backoff(attempt, options.signal);
        continue;
      }
      const tries = attempt > 1 ? ` (${attempt} tries)` : "";
      throw new StepError({ step: `download ${url}`, cause: `${reasonOf(error)}${tries}`, action: options.action });
    }
  }
}

async function once<T>(
  url: string,
  options: DownloadOptions,
  read: (response: Response, beat: () => void) => Promise<T>,
): Promise<T> {
  const idle = new AbortController();
  const seconds = options.idleTimeout ?? 30;
  const timer = setTimeout(() => idle.abort(new Error(`nothing came for ${seconds} s`)), seconds * 1000);
  try {
    const response = await request(url, { signal: AbortSignal.any([options.signal, idle.signal]) });
    if (!response.ok) throw refusal(response.status);
    return await read(response, () => timer.refresh());
  } finally {
    clearTimeout(timer);
  }
}

function refusal(status: number): Error {
  const message = `the server answers ${status}`;
  return status >= 500 || status === 429 ? new Error(message) : new Refused(message);
}

/**
 * The sha256 of one file in a published checksum file: either one bare sum, or lines "<sum>  <name>" (SHA256SUMS, *.sha256sum), or a
 * release's description in JSON, as GitHub gives it. Undefined when the file is not in it.
 */
export function publishedSum(text: string, file: string): string | undefined {
  if (text.trimStart().startsWith("{")) return releaseSum(text, file);
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

/** https://docs.github.com/en/rest/releases/assets: `digest` is `sha256:<hex>`. */
function releaseSum(text: string, file: string): string | undefined {
  const assets = releaseSchema.safeParse(parsed(text)).data?.assets ?? [];
  const digest = assets.find(({ name }) => name === file)?.digest ?? "";
  return /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
