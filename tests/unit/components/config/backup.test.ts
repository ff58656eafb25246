import { expect, test } from "vitest";
import { parseConfig } from "../../../../components/config";
import { environment, refused } from "./samples";

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
  for (const repository of ["backups", "s3:bucket", "sftp:nas", "rclone:x:y"])
    refused({ backup: { repository, password } }, "backup.repository", "write a folder like /srv/backups");
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
