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
