import { z } from "zod";
import { parseJson } from "../../common/json";
import { StepError } from "../../common/errors";

/** A recorded session of a terminal. */
export interface Cast {
  columns: number;
  rows: number;
  /** What was written, and when: seconds since the beginning. */
  output: readonly { time: number; text: string }[];
}

const headerSchema = z.object({ version: z.literal(2), width: z.number().positive(), height: z.number().positive() });
const eventSchema = z.tuple([z.number().nonnegative(), z.string(), z.string()]);

/**
 * Reads a recording in the format asciicast v2.
 * Source: https://docs.asciinema.org/manual/asciicast/v2/
 * @throws StepError if it has another format
 */
export function parseCast(text: string): Cast {
  const [first = "", ...lines] = text.split("\n").filter((line) => line.trim() !== "");
  const header = headerSchema.safeParse(parseJson(first)).data;
  if (!header) throw refusal("its first line is not a header of the format asciicast v2");
  const events = lines.map((line, index) => {
    const event = eventSchema.safeParse(parseJson(line)).data;
    if (!event) throw refusal(`line ${index + 2} is not an event of the format asciicast v2`);
    return event;
  });
  return {
    columns: header.width,
    rows: header.height,
    output: events.flatMap(([time, code, data]) => (code === "o" ? [{ time, text: data }] : [])),
  };
}

function refusal(cause: string): StepError {
  return new StepError({
    step: "reading the recording",
    cause,
    action: "record with `asciinema rec`, from version 3 on with --output-format asciicast-v2",
  });
}
