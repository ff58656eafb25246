import * as grpc from "@grpc/grpc-js";
import { ErrorResourceInitFailed } from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Any } from "google-protobuf/google/protobuf/any_pb";
import type { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { messageOf } from "../../common/errors";
import { printable } from "../../common/printable";
import { PartialFailure } from "./handler";

/**
 * Encodes an error for the engine. A partial failure carries the resource's id and state, so that the next `up`
 * continues with an update (pulumirpc.ErrorResourceInitFailed, in grpc-status-details-bin).
 */
export function rpcError(
  error: unknown,
  stateOf: (outputs: object) => Struct,
  inputs: Struct,
): grpc.ServiceError | Partial<grpc.StatusObject> {
  const message = printable(messageOf(error));
  if (!(error instanceof PartialFailure)) return { code: grpc.status.UNKNOWN, details: message };
  const detail = new ErrorResourceInitFailed();
  detail.setId(error.id);
  detail.setProperties(stateOf(error.outputs as object));
  detail.setInputs(inputs);
  detail.setReasonsList([message]);
  const packed = new Any();
  packed.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const status = new Status();
  status.setCode(grpc.status.UNKNOWN);
  status.setMessage(message);
  status.addDetails(packed);
  const metadata = new grpc.Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return { code: grpc.status.UNKNOWN, details: message, metadata };
}
