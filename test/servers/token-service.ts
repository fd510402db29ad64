/** A token service as Harbor and others have one: for a name and password a signed token that says what may be done where. */
import { createSign, randomUUID, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { OwnCa } from "../builders/own-ca.ts";

export interface TokenService {
  readonly realm: string;
  /** PEM, whose signatures the registry takes. */
  readonly roots: string;
  /** Scopes that were asked for, in order. */
  readonly asked: string[];
  stop(): void;
}

/** Of each user (`name:password`) what actions are granted at most: `["pull", "push"]`. */
export async function startTokenService(
  ca: OwnCa,
  users: Readonly<Record<string, readonly string[]>>,
): Promise<TokenService> {
  const asked: string[] = [];
  const server = createServer((incoming, response) => {
    const { searchParams } = new URL(incoming.url ?? "", "http://service");
    const basic = /^Basic (.*)$/.exec(incoming.headers.authorization ?? "")?.[1] ?? "";
    const granted = users[Buffer.from(basic, "base64").toString()];
    if (granted === undefined) return void response.writeHead(401).end();
    const scopes = searchParams.getAll("scope");
    asked.push(...scopes);
    const access = scopes.map((scope) => {
      const [, type, name, actions = ""] = /^([^:]+):(.+):([^:]+)$/.exec(scope) ?? [];
      return { type, name, actions: actions.split(",").filter((one) => granted.includes(one)) };
    });
    response.writeHead(200, { "content-type": "application/json" });
    response.end(JSON.stringify({ token: tokenOf(ca, searchParams.get("service") ?? "", access) }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    realm: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    roots: ca.ca,
    asked,
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function tokenOf({ tls }: OwnCa, audience: string, access: readonly object[]): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const chain = [new X509Certificate(readFileSync(tls.certificate)).raw.toString("base64")];
  const claims = {
    iss: "plant",
    sub: "user",
    aud: audience,
    nbf: now - 60,
    iat: now,
    exp: now + 300,
    jti: randomUUID(),
  };
  const head = `${part({ typ: "JWT", alg: "RS256", x5c: chain })}.${part({ ...claims, access })}`;
  return `${head}.${createSign("RSA-SHA256").update(head).sign(readFileSync(tls.key)).toString("base64url")}`;
}
