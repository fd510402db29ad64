/** Error codes of the host and what is changed on it (exit codes 6 to 9, and 130). */
import type { ErrorCode } from "../errors.ts";
import type { Explanation } from "./explanation.ts";

export const hostCodes = {
  PREFLIGHT: {
    meaning: "The host is not fit for what was asked. Nothing was changed.",
    causes: ["Each finding of severity error is a cause of its own: explain takes its name too."],
    remedies: ["Mend what is listed and run it again; --skip-preflight NAME goes past one check, on your own account."],
  },
  LOCKED: {
    meaning: "Another ./install or kubeferry is at work here.",
    causes: ["A second terminal, a timer, or somebody else on the same host."],
    remedies: ["Wait for the process that is named. A lock whose process has gone is taken over by itself."],
  },
  NOT_CONFIRMED: {
    meaning: "The question was not answered with yes, so nothing was changed.",
    causes: ["There was no terminal to ask at, or the answer was no."],
    remedies: ["--dry-run shows every step, --yes does them without a question."],
  },
  JOURNAL_INVALID: {
    meaning: "The journal in /var/lib/kubeferry, from which undo works, cannot be used.",
    causes: ["Others may write there, a line was edited, or another version of Kubeferry wrote it."],
    remedies: [
      "Keep a copy of /var/lib/kubeferry before anything else.",
      "Use the ./install of the version that is named, or the one kept at /var/lib/kubeferry/install.",
    ],
  },
  NO_SPACE: {
    meaning: "A file system is full, or has no free inodes. What was begun is taken back or can be taken up again.",
    causes: ["Images, logs or snapshots have grown."],
    remedies: ["df -h; df -i. Undo, rollback and restore work on a full disk as well."],
  },
  DENIED: {
    meaning: "The operating system does not allow it.",
    causes: ["Not root, a read-only or noexec mount, an immutable file, SELinux or AppArmor."],
    remedies: ["sudo; findmnt -T PATH; lsattr PATH; dmesg."],
  },
  DEVICE_FAILED: {
    meaning: "A disk or stick gives input/output errors.",
    causes: ["Failing hardware, or a stick that was pulled out."],
    remedies: ["dmesg says which device. Do not trust what was written to it last."],
  },
  LIMIT_REACHED: {
    meaning: "A limit of this machine or session was reached: open files, processes or memory.",
    causes: ["A small ulimit, or a machine with too little memory for it."],
    remedies: ["ulimit -a; free -m; raise what the error names and run it again."],
  },
  APPLY_FAILED_RESTORED: {
    meaning: "A step failed, and every step before it was taken back: the host is as it was.",
    causes: ["The error names the step and what it said; a daemon's own last lines are shown."],
    remedies: ["Mend the cause and run the same command again."],
  },
  APPLY_FAILED: {
    meaning: "A step failed, and the host is between two states.",
    causes: ["--no-restore was given, or taking a step back failed as well."],
    remedies: ["Run the same command again: it goes on where it stopped. Or ./install undo."],
  },
  UNDO_INCOMPLETE: {
    meaning: "Not everything could be taken back; what is left is listed.",
    causes: ["A mount or process that something else holds, a file that was changed since, a failing disk."],
    remedies: ["Free what is listed (fuser -vm PATH) and run ./install undo again: it does only what is missing."],
  },
  HOST_FAILED: {
    meaning: "The ./install of a host ended without saying why, so nobody knows in what state the host is.",
    causes: ["It was killed (memory, a reboot), or its output was cut; what it said last is shown."],
    remedies: ["./install status on the host. Run the same command again: it continues; or ./install undo there."],
  },
  UNHEALTHY: {
    meaning: "It is installed and runs, but a health check does not pass.",
    causes: ["Another node that is not up yet, a clock, a firewall, a daemon that does not start."],
    remedies: ["./install status shows every check and what it waits for; journalctl -u UNIT has the daemon's words."],
  },
  NOT_INSTALLED: {
    meaning: "Nothing of Kubeferry is installed here.",
    causes: ["Another host, or another tree than --root names."],
    remedies: ["./install --role ROLES --ip IP; for a tree: --root DIR."],
  },
  DRIFTED: {
    meaning: "The host is no longer what was installed; each difference is listed.",
    causes: ["Somebody changed, added or took away files, units or settings; or the host was attacked."],
    remedies: ["Find out who and why before you mend it; ./install from the same bundle puts it right."],
  },
  INTERRUPTED: {
    meaning: "It was stopped by Ctrl-C or a signal.",
    causes: ["The operator, or a system that was shut down."],
    remedies: ["Run the same command again: it goes on where it stopped. Or ./install undo."],
  },
} satisfies Partial<Record<ErrorCode, Explanation>>;
