import { readFileSync, writeFileSync } from "node:fs";
import { StepError } from "../common/errors";
import { parseOptions, type CommandDefinition } from "../cli/terminal/command-line";
import { parseCast } from "./recording/cast";
import { recordingSvg } from "./recording/recording-svg";

/** Most bytes of a drawing that the README loads. */
const LIMIT = 100_000;

const COMMAND = {
  name: "recording",
  summary: "Draws a recording of a terminal as an animated SVG, for the README.",
  details: "The recording has the format asciicast v2, as asciinema writes it. Colors are left out.",
  arguments: [["<cast>", "file with the recording"]],
  options: [
    ["--output <file>", "file to write"],
    ["--title <text>", "name for screen readers"],
    ["--speed <factor>", "how many times faster than the recording (default: 1)"],
  ],
  hasStack: false,
  examples: [["start.cast --output docs/pictures/start.svg --title 'npm start' --speed 3", "draw a run"]],
} as const satisfies CommandDefinition;

/** `npm run recording`: draws a recording of a terminal as an animated SVG. */
export async function main(args: readonly string[]): Promise<number> {
  const { words, values } = parseOptions(COMMAND, args);
  const [file] = words;
  const { output, title = "Recording of a terminal", speed = "1" } = values;
  if (file === undefined || output === undefined) throw refusal("<cast> and --output are required");
  if (!(Number(speed) > 0)) throw refusal(`--speed must be a number above 0, not ${speed}`);
  const cast = parseCast(readFileSync(file, "utf8"));
  const description = "The recording shows the lines of the command in a terminal.";
  const svg = recordingSvg(cast, { title, description, speed: Number(speed), limit: LIMIT });
  if (svg === undefined) throw refusal(`the drawing has more than ${LIMIT} bytes`);
  writeFileSync(output, svg);
  process.stdout.write(`${output}: ${Buffer.byteLength(svg)} bytes\n`);
  return 0;
}

function refusal(cause: string): StepError {
  return new StepError({
    step: "drawing the recording",
    cause,
    action: "run `npm run recording -- --help`; a shorter recording, or a terminal with fewer rows, is a smaller file",
  });
}
