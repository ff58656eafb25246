import { z } from "zod";
import { RUNTIMES } from "../common/runtime";

/** The container runtime of a node. */
export const runtimeSchema = z.enum(RUNTIMES);
