import { createHash } from "node:crypto";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";
import type { PlannedDownload } from "../../../artifacts/official";

export type Answer = (response: ServerResponse, content: Buffer) => void;

/**
 * A local server with the layout of a mirror: <mirror>/<official host>/<path>, with small files and their published
 * checksums.
 */
export class Mirror {
  private readonly files = new Map<string, Buffer>();
  private readonly answers = new Map<string, Answer[]>();
  /** Requested paths, in order. */
  readonly asked: string[] = [];

  private constructor(private readonly server: Server) {}

  static async start(fetches: readonly PlannedDownload[]): Promise<Mirror> {
    const mirror: Mirror = new Mirror(createServer((request, response) => mirror.answer(request.url ?? "", response)));
    for (const fetch of fetches) await mirror.add(fetch);
    await new Promise<void>((resolve) => mirror.server.listen(0, "127.0.0.1", resolve));
    return mirror;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Sets the answers to the next requests for this official URL, one each; the correct file follows. */
  misbehave(url: string, ...answers: Answer[]): void {
    this.answers.set(pathOf(url), answers);
  }

  replace(url: string, content: Buffer): void {
    this.files.set(pathOf(url), content);
  }

  private async add(fetch: PlannedDownload): Promise<void> {
    const content = fetch.members ? await archive(Object.entries(fetch.members)) : Buffer.from(`program ${fetch.name}`);
    this.files.set(pathOf(fetch.url), content);
    const name = fetch.url.slice(fetch.url.lastIndexOf("/") + 1);
    this.files.set(pathOf(fetch.checksum), Buffer.from(`${sha256(content)}  ${name}\n`));
  }

  private answer(path: string, response: ServerResponse): void {
    this.asked.push(path);
    const content = this.files.get(path);
    const odd = this.answers.get(path)?.shift();
    if (!content) response.writeHead(404).end();
    else if (odd) odd(response, content);
    else response.writeHead(200, { "content-length": content.length }).end(content);
  }
}

export const status =
  (code: number): Answer =>
  (response) =>
    void response.writeHead(code).end("no");

/** Announces the whole file, sends half and closes the connection. */
export const truncated: Answer = (response, content) => {
  response.writeHead(200, { "content-length": content.length });
  response.write(content.subarray(0, content.length / 2), () => response.destroy());
};

/** Sends half of the file as if it were complete: only the checksum reveals it. */
export const shortened: Answer = (response, content) =>
  void response.writeHead(200).end(content.subarray(0, content.length / 2));

/** Accepts the request and never answers. */
export const silence: Answer = () => undefined;

export function sha256(content: Buffer): string {
  return createHash("sha256").update(content).digest("hex");
}

function pathOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `/${host}${pathname}`;
}

export async function archive(members: readonly [string, string][]): Promise<Buffer> {
  const tar = pack();
  tar.entry({ name: "README" }, "not wanted");
  for (const [name, path] of members) tar.entry({ name: path, mode: 0o755 }, `program ${name}`);
  tar.finalize();
  const parts: Buffer[] = [];
  for await (const part of tar) parts.push(part as Buffer);
  return gzipSync(Buffer.concat(parts));
}
