import { beforeEach, expect, test } from "vitest";
import { proveAccess } from "../../../../provider/backup/prove-access";
import type { Remote } from "../../../../provider/ssh/remote";
import { MemoryMachine } from "../../../support/memory-machine";

let machine: MemoryMachine;
let commands: string[];
beforeEach(() => {
  machine = new MemoryMachine();
  commands = [];
});

const SFTP = "sftp:me@nas:/b";
const S3 = "s3:https://s3.example.com/b";

/** Lets restic answer a command with a code and an error. */
function answer(command: string, code: number, stderr = "") {
  machine.on(new RegExp(`^call_restic \\d+ ${command}`, "m"), () => (commands.push(command), { code, stderr }));
}

const prove = (repository: string, creates = false) =>
  proveAccess(machine.context(), machine as unknown as Remote, { repository, options: [] }, creates);

test("a bucket is created before it is read, because restic repeats requests to one that does not exist", async () => {
  answer("cat config", 0);
  answer("init", 0);
  await prove(S3, true);
  expect(commands).toEqual(["init", "cat config"]);
});

test("a bucket with a repository is only opened", async () => {
  answer("cat config", 0);
  answer("init", 1, "Fatal: create repository failed: repository master key and config already initialized");
  await prove(S3, true);
  await prove(S3);
  expect(commands).toEqual(["init", "cat config", "cat config"]);
});

test("a refused access key is named", async () => {
  answer("init", 1, "Fatal: create repository at s3 failed: The request signature we calculated does not match");
  await expect(prove(S3, true)).rejects.toThrow(
    /creating the repository of backups failed on worker-1 .*request signature.*; check that the machine reaches/,
  );
});

test("a server that does not answer is named", async () => {
  answer("cat config", 124, "Load(<config/0>) returned error, retrying after 1.2s: dial tcp: i/o timeout");
  await expect(prove(S3)).rejects.toThrow("restic did not end in 90 seconds: dial tcp: i/o timeout; check that");
});

test("a machine without ssh is named", async () => {
  answer("cat config", 1, 'Fatal: cmd.Start: exec: "ssh": executable file not found in $PATH');
  await expect(prove(SFTP)).rejects.toThrow(/on worker-1 .*: it has no program ssh.*; install an SSH client/);
});

test("a server that ssh refuses is explained", async () => {
  answer("cat config", 1, "Fatal: unable to start the sftp session, error: unexpected EOF");
  machine.on(/^timeout \d+ ssh .*-l me -s nas sftp/, () => ({ code: 255, stderr: "Host key verification failed." }));
  await expect(prove(SFTP)).rejects.toThrow(/on worker-1 .*: the server's host key is not that of backup.sftp.hostKey/);
  machine.on(/^timeout \d+ ssh/, () => ({ code: 255, stderr: "me@nas: Permission denied (publickey)." }));
  await expect(prove(SFTP)).rejects.toThrow(/refuses the login: .*; add the public key of backup.sftp.key/);
});
