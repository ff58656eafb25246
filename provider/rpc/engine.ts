import * as grpc from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import { printable } from "../../common/printable";

/** Characters of a status: one line of a screen. */
const LONGEST_STATUS = 300;

/** Client of the engine's log: log lines and status lines of resources. */
export class EngineLog {
  private client: EngineClient | undefined;

  connect(address: string): void {
    this.client = new EngineClient(address, grpc.credentials.createInsecure());
  }

  /**
   * Sends one line. An `ephemeral` line replaces the resource's live status. A line that cannot be sent is dropped.
   */
  send(severity: keyof typeof LogSeverity, urn: string, message: string, ephemeral = false): Promise<void> {
    const request = new LogRequest();
    request.setSeverity(LogSeverity[severity]);
    request.setMessage(printable(message, ephemeral ? LONGEST_STATUS : undefined));
    request.setUrn(urn);
    request.setEphemeral(ephemeral);
    return new Promise((resolve) => (this.client ? this.client.log(request, () => resolve()) : resolve()));
  }
}
