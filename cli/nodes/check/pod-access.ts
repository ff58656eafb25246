import { PassThrough, Writable } from "node:stream";
import { orAborted } from "../../../common/wait";
import type { KubeApi } from "../../../provider/kube/api";
import { type DnsAnswer, type RecordType, decodeAnswer, encodeQuery } from "./dns-message";

export interface PodName {
  namespace: string;
  pod: string;
}

/** Access to pods through the API server and their kubelets, as kubectl has it. */
export interface PodAccess {
  /** Runs a command in the pod and returns its output, as `kubectl exec` does. */
  exec(pod: PodName, command: readonly string[], signal: AbortSignal): Promise<string>;
  /** Sends a DNS query to a port of the pod over TCP, as through `kubectl port-forward`. */
  query(
    pod: PodName,
    port: number,
    question: { name: string; type: RecordType },
    signal: AbortSignal,
  ): Promise<DnsAnswer>;
}

export function podAccess(api: KubeApi): PodAccess {
  return {
    exec: (pod, command, signal) => orAborted(exec(api, pod, command, signal), signal),
    query: (pod, port, { name, type }, signal) =>
      orAborted(query(api, pod, port, encodeQuery(name, type), signal), signal),
  };
}

async function exec(api: KubeApi, { namespace, pod }: PodName, command: readonly string[], signal: AbortSignal) {
  const { Exec } = await import("@kubernetes/client-node");
  let output = "";
  const collector = collect((data) => (output += data.toString()));
  return await new Promise<string>((resolve, reject) => {
    const finish = ({ status, message }: { status?: string; message?: string }) =>
      status === "Success" ? resolve(output) : reject(new Error(message ?? "the command failed"));
    new Exec(api.config)
      .exec(namespace, pod, "dns", [...command], collector, collector, null, false, finish)
      .then((socket) => closeWith(socket, signal, reject))
      .catch((error: unknown) => reject(errorOf(error)));
  });
}

async function query(api: KubeApi, { namespace, pod }: PodName, port: number, message: Buffer, signal: AbortSignal) {
  const { PortForward } = await import("@kubernetes/client-node");
  let received = Buffer.alloc(0);
  const input = new PassThrough();
  return await new Promise<DnsAnswer>((resolve, reject) => {
    const output = collect((data) => {
      received = Buffer.concat([received, data]);
      const answer = decodeAnswer(received);
      if (!answer) return;
      resolve(answer);
      input.end(); // closes the connection
    });
    const errors = collect((data) => data.length > 0 && reject(new Error(data.toString())));
    new PortForward(api.config)
      .portForward(namespace, pod, [port], output, errors, input)
      .then((socket) => {
        closeWith(socket as Closable, signal, reject);
        input.write(message);
      })
      .catch((error: unknown) => reject(errorOf(error)));
  });
}

/** A connection that is refused fails with an event. */
function errorOf(error: unknown): Error {
  return error instanceof Error ? error : new Error((error as { message?: string }).message ?? String(error));
}

interface Closable {
  close(): void;
  on?(event: string, listener: (argument: unknown) => void): unknown;
}

/** Ends the connection when the signal is aborted, and fails when the connection ends without a result. */
function closeWith(socket: unknown, signal: AbortSignal, reject: (error: Error) => void): void {
  const closable = socket as Closable;
  signal.addEventListener("abort", () => closable.close(), { once: true });
  closable.on?.("close", () => reject(new Error("the connection was closed without an answer")));
}

function collect(receive: (data: Buffer) => unknown): Writable {
  return new Writable({
    write(data: Buffer, _encoding, done) {
      receive(data);
      done();
    },
  });
}
