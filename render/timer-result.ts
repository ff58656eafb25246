import { template } from "./template";

/** Renders the shell functions that record how a run of a timer ended, for provider/host/timer-result.ts. */
export function timerResultScript(): string {
  return template("timer/result.sh");
}
