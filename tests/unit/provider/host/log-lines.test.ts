import { expect, test } from "vitest";
import { chooseErrors } from "../../../../provider/host/log-lines";

test("the errors of a log are without help texts, stack traces and messages of other levels", () => {
  const log = `I1126 07:00:00.000000       1 flags.go:64] FLAG: --fail-swap-on="true"
E1126 07:00:01.000000       1 run.go:72] "command failed" err="unrecognized feature gate: NoSuchGate"
panic: unrecognized feature gate: NoSuchGate

goroutine 1 [running]:
k8s.io/kubernetes/pkg/util/must.Fail(0x1)
	k8s.io/kubernetes@v1.36.3/pkg/must.go:37 +0x2a
main.main()
`;
  expect(chooseErrors(log)).toEqual([
    'E1126 07:00:01.000000       1 run.go:72] "command failed" err="unrecognized feature gate: NoSuchGate"',
    "panic: unrecognized feature gate: NoSuchGate",
  ]);
});

test("a log without errors gives its last lines, and an empty one none", () => {
  expect(chooseErrors("1\n2\n3\n4\n5\n6\n")).toEqual(["2", "3", "4", "5", "6"]);
  expect(chooseErrors("\n")).toEqual([]);
});
