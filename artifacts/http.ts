import { EnvHttpProxyAgent, fetch, type RequestInit, type Response } from "undici";

export type { Response };

let agent: EnvHttpProxyAgent | undefined;

/** fetch that goes through the proxy which HTTP_PROXY, HTTPS_PROXY and NO_PROXY name, as every other tool does; Node 20's own does not. */
export function request(url: string, init: RequestInit): Promise<Response> {
  agent ??= new EnvHttpProxyAgent();
  return fetch(url, { ...init, dispatcher: agent });
}
