import { expect, test } from "vitest";
import { backupTable, describeAge } from "../../../../cli/backup/text";

const NOW = Date.parse("2026-11-26T12:45:00.000Z");

test("a backup from a clock that is ahead has no negative age", () => {
  expect(describeAge("2026-11-26T12:50:00.000Z", NOW)).toBe("0 minutes");
});

test("backups are listed with their age and size", () => {
  const backup = { id: "1a2b3c4d", time: "2026-11-26T12:00:00.000Z", node: "control-plane-1", size: 24_600_000 };
  expect(backupTable([backup], NOW)).toMatch(
    /^BACKUP +TIME +AGE +CONTROL PLANE +SIZE\n1a2b3c4d +2026-11-26T12:00:00Z +45 minutes +control-plane-1 +24.6 MB$/,
  );
  expect(backupTable([], NOW)).toBe("There is no backup yet: `npm run backup` creates one.");
});
