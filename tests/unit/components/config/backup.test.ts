import { describe, expect, test } from "vitest";
import { parseConfig } from "../../../../components/config";
import { environment, problems, refused } from "./samples";

const password = "a password";

test("a repository and a password are enough", () => {
  const { backup } = parseConfig({ backup: { repository: "./backups", password } }, environment);
  expect(backup).toEqual({
    ...{ repository: "./backups", password, maxAge: 48, maxDrillAge: 744 },
    keep: { last: 3, hourly: 24, daily: 7, weekly: 4 },
  });
});

test("without the section there are no backups", () => {
  expect(parseConfig({}, environment).backup).toBeUndefined();
});

test("a repository is a folder, an address of SFTP or one of S3", () => {
  for (const repository of ["/srv/b", "~/b", "sftp:me@nas:/b"])
    expect(parseConfig({ backup: { repository, password } }, environment).backup?.repository).toBe(repository);
  for (const repository of ["backups", "s3:bucket", "rclone:x:y"])
    refused({ backup: { repository, password } }, "backup.repository", "write a folder like /srv/backups");
});

test("an address of SFTP is one that restic accepts", () => {
  const accepted = ["sftp:nas:backups", "sftp:a@b.org@nas_1:/b", "sftp://me@nas:2222//srv/b", "sftp://[fd00::1]:22/b"];
  for (const repository of accepted)
    expect(parseConfig({ backup: { repository, password } }, environment).backup?.repository).toBe(repository);
  const wrong = {
    "write sftp:user@host:/path": ["sftp:nas", "sftp:me@:/b", "sftp:-oProxyCommand=x:/b", "sftp:-l@nas:/b"],
    "or sftp://user@host:port//path": ["sftp://nas", "sftp://nas/", "sftp://me:secret@nas/b", "sftp://-x/b"],
    "use a port from 1 to 65535": ["sftp://nas:0//b", "sftp://nas:65536//b"],
    "write sftp://user@host:port//path": ["sftp:nas:2222:/b"],
    "leave ~/ out": ["sftp:nas:~/b", "sftp://nas/~/b"],
  };
  for (const [action, addresses] of Object.entries(wrong))
    for (const repository of addresses) refused({ backup: { repository, password } }, "backup.repository", action);
});

test("SFTP takes a key and a host key, and refuses those that ssh could not use", () => {
  const repository = "sftp:me@nas:/b";
  const hostKey = "ssh-ed25519 AAAA";
  for (const sftp of [{}, { key: "~/.ssh/a key" }, { hostKey }, { key: "/keys/id", hostKey }])
    expect(parseConfig({ backup: { repository, password, sftp } }, environment).backup?.sftp).toEqual(sftp);
  for (const key of ["id", "./id", "~you/id", "/it's", '/a"b', "/100%", "/$HOME/id", "/a\\", "/a\nb", "~/"])
    refused({ backup: { repository, password, sftp: { key } } }, "backup.sftp.key", "write an absolute path");
  for (const wrong of ["SHA256:abc", "ssh-ed25519"])
    refused({ backup: { repository, password, sftp: { hostKey: wrong } } }, "backup.sftp.hostKey", "as in known_hosts");
});

test("settings of SFTP for another repository, and a missing key that `up` needs, are refused", () => {
  const sftp = { key: "/missing" };
  refused({ backup: { repository: "/b", password, sftp } }, "backup.sftp", "remove it");
  const backup = { repository: "sftp:nas:/b", password, sftp };
  expect(parseConfig({ backup }, environment).backup?.sftp).toEqual(sftp);
  refused({ backup: { ...backup, restoreFrom: "latest" } }, "backup.sftp.key", "there is no file /missing");
});

test("the password is required", () => refused({ backup: { repository: "/b" } }, "backup.password", "set it to"));

test("a repository in S3 needs an access key", () => {
  const repository = "s3:https://s3.example.com/bucket";
  refused({ backup: { repository, password } }, "backup.s3", "set backup.s3.accessKeyId");
  const s3 = { accessKeyId: "id", secretAccessKey: "key" };
  expect(parseConfig({ backup: { repository, password, s3 } }, environment).backup?.s3).toEqual(s3);
});

test("a cluster that is built by components has no backups", () =>
  refused({ bootstrap: "components", backup: { repository: "/b", password } }, "backup", "set bootstrap: kubeadm"));

describe("a schedule", () => {
  const s3 = { accessKeyId: "id", secretAccessKey: "key" };
  const inS3 = { repository: "s3:https://s3.example.com/bucket", password, s3 };

  test.each([
    ...["daily", "Weekly", "daily UTC", "*-*-* 03:00", "03:00", "*:0/30", "Mon..Fri 22:30", "Sat,Sun *-*-* 04:00:00"],
    ...["Mon..Fri 22:30 Europe/Berlin", "*-*-01 03:00", "2026-*-1,15 3:00 UTC", "*-*~1 03:00", "Sun", "monthly"],
  ])("may be %s", (schedule) => {
    expect(parseConfig({ backup: { ...inS3, schedule } }, environment).backup?.schedule).toBe(schedule);
  });

  test.each(["", "each day", "0 3 * * *", "3:00pm", "daily\nUser=x", "*-*-* 03:00%", "every day", "03", "daily daily"])(
    "is not %j",
    (schedule) => refused({ backup: { ...inS3, schedule } }, "backup.schedule", "write one like daily"),
  );

  test("of drills is a calendar too, and needs that of backups", () => {
    const { backup } = parseConfig({ backup: { ...inS3, schedule: "daily", drillSchedule: "weekly" } }, environment);
    expect(backup?.drillSchedule).toBe("weekly");
    refused(
      { backup: { ...inS3, schedule: "daily", drillSchedule: "each week" } },
      "backup.drillSchedule",
      "write one",
    );
    refused({ backup: { ...inS3, drillSchedule: "weekly" } }, "backup.drillSchedule", "set backup.schedule");
  });

  test("is refused with a folder, which control planes cannot reach", () => {
    for (const repository of ["/srv/backups", "./backups", "~/backups"])
      refused({ backup: { repository, password, schedule: "daily" } }, "backup.schedule", "use a repository in S3");
  });

  test("with SFTP needs a key and a host key", () => {
    const backup = { repository: "sftp:me@nas:/b", password, schedule: "daily" };
    const both = { key: "/keys/id", hostKey: "ssh-ed25519 AAAA" };
    expect(parseConfig({ backup: { ...backup, sftp: both } }, environment).backup?.schedule).toBe("daily");
    refused({ backup: { ...backup, sftp: { hostKey: both.hostKey } } }, "backup.sftp.key", "without a passphrase");
    refused({ backup: { ...backup, sftp: { key: both.key } } }, "backup.sftp.hostKey", "the server's host key");
    expect(problems({ backup })).toHaveLength(2);
  });
});
