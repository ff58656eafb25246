import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { vi } from "vitest";

export interface Reply {
  stdout?: string;
  stderr?: string;
  code?: number;
}

/** A `docker` command on PATH that replies to command lines by their beginning, and records them. */
export class FakeDocker {
  private readonly folder = mkdtempSync(join(tmpdir(), "fake-docker-"));
  private readonly replies: string[] = [];

  constructor(private readonly program = "docker") {
    this.write();
    vi.stubEnv("PATH", `${this.folder}:${process.env.PATH}`);
  }

  /** Replies to command lines that begin with `command`, in the given order; the last reply is repeated. */
  on(command: string, ...replies: Reply[]): this {
    const name = `reply-${this.replies.length}`;
    replies.forEach(({ stdout = "", stderr = "", code = 0 }, index) => {
      writeFileSync(join(this.folder, `${name}-${index}.out`), stdout);
      writeFileSync(join(this.folder, `${name}-${index}.err`), stderr);
      writeFileSync(join(this.folder, `${name}-${index}.code`), String(code));
    });
    this.replies.push(`"${command}"*) reply ${name} ${replies.length - 1} ;;`);
    this.write();
    return this;
  }

  /** The recorded command lines. */
  get calls(): string[] {
    const log = join(this.folder, "log");
    return existsSync(log) ? readFileSync(log, "utf8").split("\n").filter(Boolean) : [];
  }

  remove(): void {
    vi.unstubAllEnvs();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private write(): void {
    const script = [
      "#!/bin/sh",
      `cd ${this.folder}; echo "$*" >> log`,
      "reply() {",
      '  n=$(cat "$1.n" 2>/dev/null || echo 0); [ "$n" -lt "$2" ] && echo $((n + 1)) > "$1.n"',
      '  cat "$1-$n.out"; cat "$1-$n.err" >&2; exit "$(cat "$1-$n.code")"',
      "}",
      'case "$*" in',
      ...this.replies,
      "esac",
      'echo "unexpected: $*" >&2; exit 99',
    ];
    writeFileSync(join(this.folder, this.program), `${script.join("\n")}\n`);
    chmodSync(join(this.folder, this.program), 0o755);
  }
}
