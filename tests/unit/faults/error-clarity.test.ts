import { describe, expect, test } from "vitest";
import { checkErrorClarity, checkInterruption, readErrors, summarizeFailure } from "../../faults/error-clarity";

const PROGRESS = `[  1.2 s] Machine worker-2: creating
[  9.0 s] Join worker-2-join: kubeadm join
run \`npm start\` to continue
`;
const CLEAR = `${PROGRESS}
  worker-1  done
  worker-2  FAILED
  ✗ Join worker-2-join: kubeadm join failed on worker-2 (10.0.0.12): timed out;
      see journalctl -u kubelet

\`npm start\` continues from here`;

describe("checkErrorClarity", () => {
  test("accepts an error that names the machine and a report that names the next command", () => {
    expect(checkErrorClarity(CLEAR, "worker-2")).toEqual([]);
  });

  test("accepts an error without ✗ when the last paragraph names both", () => {
    const error = "evicting pods failed on worker-2: timed out; run `npm run node:drain -- worker-2` again";
    expect(checkErrorClarity(`${PROGRESS}\n${error}\n`, "worker-2")).toEqual([]);
  });

  test("reports an error that names no machine, although progress lines before it do", () => {
    const text = `${PROGRESS}\n✗ the API server does not answer; run \`npm start\` again`;
    expect(checkErrorClarity(text, "worker-2")).toEqual([
      expect.stringContaining("no error names worker-2"),
      expect.stringContaining("an error names no machine: ✗ the API server"),
    ]);
  });

  test("reports an error that names another machine only", () => {
    expect(checkErrorClarity(CLEAR, "worker-7")).toEqual([expect.stringContaining("no error names worker-7")]);
    expect(checkErrorClarity(CLEAR.replaceAll("worker-2", "worker-21"), "worker-2")).toHaveLength(1);
  });

  test("reports a missing next command, although progress lines before the error name one", () => {
    const text = CLEAR.replace("`npm start` continues from here", "good luck");
    expect(checkErrorClarity(text, "worker-2")).toEqual([expect.stringContaining("names no next command")]);
  });

  test("reports a stack trace", () => {
    const text = `${CLEAR}\n    at Object.join (/project/provider/main.js:10:3)`;
    expect(checkErrorClarity(text, "worker-2")).toEqual(["the error is a stack trace"]);
  });
});

describe("checkInterruption", () => {
  test("accepts the next command in the line that says that the command stops", () => {
    expect(checkInterruption(`${PROGRESS}stopped; \`npm start\` continues from here`)).toEqual([]);
  });

  test("reports a next command that only stands elsewhere", () => {
    expect(checkInterruption(`${PROGRESS}stopped`)).toEqual([expect.stringContaining("names no next command")]);
  });
});

test("readErrors returns each error once, with its continuation lines", () => {
  expect(readErrors(`${CLEAR}\n✗ other`)).toEqual([
    "✗ Join worker-2-join: kubeadm join failed on worker-2 (10.0.0.12): timed out;\nsee journalctl -u kubelet",
    "✗ other",
  ]);
});

test("summarizeFailure returns the first line of each error, or the last two lines", () => {
  expect(summarizeFailure(CLEAR)).toMatch(/^✗ Join worker-2-join: .* timed out;$/);
  expect(summarizeFailure("one\n\ntwo\nthree\n")).toBe("two; three");
});
