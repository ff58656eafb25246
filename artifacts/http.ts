import { EnvHttpProxyAgent, fetch, type RequestInit, type Response } from "undici";

export type { Response };

let agent: EnvHttpProxyAgent | undefined;

/**
 * Requests a URL through the proxy of HTTP_PROXY, HTTPS_PROXY and NO_PROXY, which the `fetch` of Node.js 20 ignores.
 */
export function request(url: string, init: RequestInit): Promise<Response> {
  agent ??= new EnvHttpProxyAgent();
  return fetch(url, { ...init, dispatcher: agent });
}
