import * as grpc from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";
import { printable } from "../../common/printable";

/** A status is one line of a screen. */
const LONGEST_STATUS = 300;

/** The way back to the engine: log lines and status lines on a resource. */
export class EngineLog {
  private client: EngineClient | undefined;

  connect(address: string): void {
    this.client = new EngineClient(address, grpc.credentials.createInsecure());
  }

  /** `ephemeral` lines are the resource's live status. A log line that cannot be delivered is no reason to fail. */
  send(severity: keyof typeof LogSeverity, urn: string, message: string, ephemeral = false): Promise<void> {
    const request = new LogRequest();
    request.setSeverity(LogSeverity[severity]);
    request.setMessage(printable(message, ephemeral ? LONGEST_STATUS : undefined));
    request.setUrn(urn);
    request.setEphemeral(ephemeral);
    return new Promise((done) => (this.client ? this.client.log(request, () => done()) : done()));
  }
}
