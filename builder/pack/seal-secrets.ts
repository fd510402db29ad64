/** Seals a node's secrets with age, for that node and whoever else holds a key. */
import { tarBytes } from "#bundle";

/** The tar of secret files by absolute node path, sealed for `recipients` (`age1…`), or plain where there are none. */
export async function sealSecrets(files: ReadonlyMap<string, Buffer>, recipients: readonly string[]): Promise<Buffer> {
  const members = [...files].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const plain = tarBytes(members.map(([path, content]) => ({ path: path.slice(1), mode: 0o600, content })));
  if (recipients.length === 0) return plain;
  const { Encrypter } = await import("age-encryption");
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return Buffer.from(await encrypter.encrypt(plain));
}
