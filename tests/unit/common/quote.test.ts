import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { commandLine, quote } from "../../../common/quote";

test("leaves plain words unquoted, so that scripts stay readable", () => {
  expect(quote("/usr/local/bin/kubelet")).toBe("/usr/local/bin/kubelet");
});

test.each(["", " ", "a b", "it's", "$(id)", "`id`", "a\nb", "*", "~", "a;b", "\\", '"', "'", "''", "é", "#x", "!x"])(
  "a shell reads %j back unchanged",
  (word) => {
    const back = execFileSync("/bin/sh", ["-c", `printf %s ${quote(word)}`], { encoding: "utf8" });
    expect(back).toBe(word);
  },
);

test("quotes each argument of a command line", () => {
  expect(commandLine(["rm", "-f", "a b"])).toBe("rm -f 'a b'");
});
