/** Secrets that are not certificates: bootstrap tokens and the key of encryption at rest. */
import { randomBytes, randomInt } from "node:crypto";
import { ExpectedError } from "#cli/errors";
import type { BootstrapToken } from "../components/credentials.ts";

/** Secrets that were published in guides and documentation: everyone knows them. */
const published: readonly string[] = [
  "41f7e4ba8b7be874fcff18bf5cf41a7c",
  "abcdef.0123456789abcdef",
  "07401b.f395accd246ae52d",
  "f1rva3.0wc2ntvng9a1i95k",
  "ou6xa9.7d8ddpwq7o4mcuo8",
  "rqqu3x.6w2kl3yah8vdfdmw",
  "sqpxzq.zi7loz1r60y22flv",
  "xv6pef.ijbh2ibcftrnh778",
  "c2VjcmV0IGlzIHNlY3VyZQ==",
];

const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";

/** One line, `id.secret expires`, of a new token. */
export function makeToken(expires: Date): string {
  return `${randomText(6)}.${randomText(16)} ${expires.toISOString()}\n`;
}

/** The token that a line holds; PKI_INVALID when it is not one, or a published example. */
export function parseToken(line: string, where: string): BootstrapToken {
  const match = /^([a-z0-9]{6})\.([a-z0-9]{16}) (\S+)\s*$/.exec(line);
  const expires = new Date(match?.[3] ?? "");
  if (match === null || Number.isNaN(expires.getTime())) {
    throw new ExpectedError("PKI_INVALID", "this file holds no bootstrap token", {
      where,
      expected: "six and sixteen lower-case letters or digits with a dot between, and a date",
      hint: `mv ${where} ${where}.bad && kubeferry build …`,
    });
  }
  const [, id = "", secret = ""] = match;
  refusePublished(`${id}.${secret}`, where);
  refusePublished(secret, where);
  return { id, secret, expires };
}

/** Base64 of 32 random bytes. */
export function makeEncryptionKey(): string {
  return `${randomBytes(32).toString("base64")}\n`;
}

/** The key that a file holds; PKI_INVALID when it is not 32 bytes of base64, or a published example. */
export function parseEncryptionKey(text: string, where: string): string {
  const key = text.trim();
  refusePublished(key, where);
  if (Buffer.from(key, "base64").length !== 32 || Buffer.from(key, "base64").toString("base64") !== key) {
    throw new ExpectedError("PKI_INVALID", "the key of encryption at rest is not base64 of 32 bytes", {
      where,
      hint: "put the key of the running cluster back; with another one its Secrets cannot be read",
    });
  }
  return key;
}

function refusePublished(secret: string, where: string): void {
  if (!published.includes(secret)) return;
  throw new ExpectedError("PKI_INVALID", "this secret is an example that was published; everyone knows it", {
    where,
    hint: `rm ${where}   # the next build makes a random one`,
  });
}

function randomText(length: number): string {
  return Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join("");
}
