/** Lines of a log that are searched for errors. */
export const SEARCHED_LINES = 400;
const SHOWN_LINES = 5;

const ERROR = /error|fatal|panic|fail|unknown|unrecognized|invalid|not defined|cannot|unable|must /i;
const KLOG_INFO = /^[IW]\d{4} /;
/** Rows of a stack trace: `main.main()`, `k8s.io/kubernetes/cmd/kubelet/app.run(...)`. */
const FRAME = /^(?:goroutine \d+|[\w./@-]+\([^)]*\)?$)/;

/** Chooses the last error messages of a log. Indented lines are help texts and stack traces. */
export function chooseErrors(log: string): string[] {
  const lines = log
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "");
  const isError = (line: string) => /^\S/.test(line) && ERROR.test(line) && !KLOG_INFO.test(line) && !FRAME.test(line);
  const errors = lines.filter(isError);
  return (errors.length > 0 ? errors : lines).slice(-SHOWN_LINES);
}
