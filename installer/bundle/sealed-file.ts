/**
 * A file sealed with age (X25519), as a stream: a copy of etcd's data may be larger than the memory. By hand:
 * `age -d -i operator.key FILE.age > FILE`.
 */
import * as fs from "node:fs";
import { ExpectedError, isExpected } from "#cli/errors";
import { partialOf, writeBeside, writeNew } from "./durable-file.ts";

const firstLine = Buffer.from("age-encryption.org/v1");

/** Seals `from` for `recipients` (`age1…`) as `to`: 0600 from the first byte, flushed, and whole or not there. */
export async function sealFile(from: string, to: string, recipients: readonly string[]): Promise<void> {
  const { Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  await writeBeside(
    to,
    async (beside) => writeNew(beside, await encrypter.encrypt(readingOf(from)), 0o600),
    partialOf(to),
  );
}

/** Whether a file is sealed with age, by its first line alone. */
export function isSealedFile(path: string): boolean {
  const start = Buffer.alloc(firstLine.length);
  const file = fs.openSync(path, fs.constants.O_RDONLY);
  try {
    return fs.readSync(file, start) === start.length && start.equals(firstLine);
  } finally {
    fs.closeSync(file);
  }
}

/** The other way. KEY_WRONG for an identity that it was not sealed for, SECRETS_INVALID for what is damaged. */
export async function openSealedFile(from: string, to: string, identity: string): Promise<void> {
  const { Decrypter } = await import("age-encryption");
  const decrypter = new Decrypter();
  try {
    decrypter.addIdentity(identity.trim());
  } catch {
    throw new ExpectedError("KEY_WRONG", "this is not an age identity", { where: from, expected: "AGE-SECRET-KEY-1…" });
  }
  try {
    await writeBeside(
      to,
      async (beside) => writeNew(beside, await decrypter.decrypt(readingOf(from)), 0o600),
      partialOf(to),
    );
  } catch (cause) {
    if (!(cause instanceof Error) || isExpected(cause) || "syscall" in cause) throw cause;
    if (cause.message.includes("no identity matched")) {
      throw new ExpectedError("KEY_WRONG", "this key does not open the file", {
        where: from,
        hint: "take the operator's key, CLUSTER.pki/operator.key, of the time when the file was sealed",
      });
    }
    throw new ExpectedError("SECRETS_INVALID", `the sealed file is damaged: ${cause.message}`, {
      where: from,
      cause,
      hint: "take another copy of it",
    });
  }
}

/** Opened when it is first read, and closed at its end. */
function readingOf(path: string): ReadableStream<Uint8Array<ArrayBuffer>> {
  const chunk = 256 * 1024;
  const file = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW);
  return new ReadableStream({
    pull(controller) {
      const buffer = new Uint8Array(chunk);
      const count = fs.readSync(file, buffer);
      if (count > 0) return controller.enqueue(buffer.subarray(0, count));
      fs.closeSync(file);
      controller.close();
    },
    cancel: () => fs.closeSync(file),
  });
}
