/** Why a unit does not run: its last lines in systemd's journal, and what usually lies behind such lines. */
import type { Reporter } from "#cli/reporter";
import type { HostReader } from "../host/host.ts";

interface Cause {
  readonly when: RegExp;
  readonly cause: string;
  /** The command to run next. */
  readonly next: (unit: string) => string;
}

const causes: readonly Cause[] = [
  {
    when: /address already in use/i,
    cause: "another process has its port",
    next: () => "ss -lntup",
  },
  {
    when: /certificate has expired or is not yet valid/i,
    cause: "this host's clock is outside the life of a certificate",
    next: () => "timedatectl; ./install status",
  },
  {
    when: /x509:|bad certificate|unknown authority|certificate verify failed/i,
    cause: "the other side has certificates of another CA, or for other names",
    next: () => "./install audit; and the same on the other host",
  },
  {
    when: /unknown (shorthand )?flag|flag provided but not defined/i,
    cause: "this version does not know a flag of its unit",
    next: (unit) => `systemctl cat ${unit}`,
  },
  {
    when: /invalid value|invalid argument|failed to parse|cannot parse|\s(yaml|toml): |parse error/i,
    cause: "a value of its unit or configuration is not one that it takes",
    next: (unit) => `systemctl cat ${unit}`,
  },
  {
    when: /cannot be downgraded|cluster ID mismatch|already been bootstrapped|member count is unequal/i,
    cause: "etcd's data are of another cluster, or of a later version",
    next: () => "ls -l /var/lib/etcd; etcdctl endpoint status",
  },
  {
    when: /swap on is not supported|swap is enabled/i,
    cause: "swap is on",
    next: () => "swapon --show",
  },
  {
    when: /GLIBC_|exec format error|cannot execute/i,
    cause: "the program is of another machine or of a later C library",
    next: () => "uname -m; ldd --version",
  },
  {
    when: /no space left on device|disk quota exceeded/i,
    cause: "a file system is full",
    next: () => "df -h; df -i",
  },
  {
    when: /permission denied|operation not permitted/i,
    cause: "it may not do what it wants: SELinux, AppArmor, or the mode of a file",
    next: () => "./install audit; ausearch -m avc -ts recent; journalctl -k -n 50",
  },
  {
    when: /no such file or directory|not found in \$PATH/i,
    cause: "a file or program is missing",
    next: () => "./install audit",
  },
  {
    when: /connection refused|no route to host|i\/o timeout|context deadline exceeded/i,
    cause: "another host or service does not answer: it is down, or a firewall is between",
    next: () => "./install status on that host; ss -lnt",
  },
];

const shownLines = 15;
const tellingLines = 5;
const telling = /error|invalid|fatal|fail|panic|unknown|cannot|unable|denied|refused|expired|in use|no such/i;

/**
 * What a unit wrote in its last run: the last lines, and before them those that speak of an error, since many programs print
 * their whole usage after it. Empty where there is no journal.
 */
async function lastLines(host: HostReader, unit: string): Promise<string> {
  const { code, stdout } = await host.query(["journalctl", "-u", unit, "-n", "300", "--no-pager", "-o", "cat"]);
  if (code !== 0) return "";
  const runs = stdout.trim().split(/^(?=Starting )/m);
  // One that systemd has only just begun again says nothing yet.
  const lines = (runs.findLast((run) => run.split("\n").length > 3) ?? stdout).trim().split("\n");
  const earlier = lines.slice(0, -shownLines).filter((line) => telling.test(line));
  return [...earlier.slice(-tellingLines), ...lines.slice(-shownLines)].join("\n");
}

/** What such lines usually mean, with the next command; null where nothing is known of them. */
export function likelyCause(lines: string, unit: string): { cause: string; next: string } | null {
  const found = causes.find(({ when }) => when.test(lines));
  return found === undefined ? null : { cause: found.cause, next: found.next(unit) };
}

/** Tells both, while the failed unit is still there to be asked. */
export async function tellUnitFailure(host: HostReader, unit: string, reporter: Reporter): Promise<void> {
  const lines = await lastLines(host, unit);
  if (lines === "") return;
  const likely = likelyCause(lines, unit);
  reporter.record("unit-failure", { unit, lines, likely });
  reporter.info(`What ${unit} said last:\n${lines.replaceAll(/^/gm, "  | ")}`);
  if (likely === null) return;
  reporter.warn(`the likely cause: ${likely.cause}`);
  reporter.info(`         ${reporter.language.say("next: ")}${likely.next}`);
}
