/** One ssh connection to a host, through another where it has a jump host. Everything that fails on it is told as an operator reads it. */
import type { Duplex } from "node:stream";
import ssh2, { type Client, type ClientChannel, type ConnectConfig, type SFTPWrapper } from "ssh2";
import { ExpectedError, isExpected, messageOf } from "#cli/errors";
import type { Credentials } from "./credentials.ts";
import { type HostKeys, hostKeysOf } from "./host-key.ts";
import type { Host, Login } from "./inventory.ts";

export interface Access {
  readonly credentials: Credentials;
  /** The known hosts: text and path. */
  readonly known: { readonly text: string; readonly path: string };
  readonly signal: AbortSignal;
}

/** How long a host may take to answer; and to be silent, four times. */
const answerMilliseconds = 60_000;
const aliveMilliseconds = 15_000;

type Done<Value> = (error: Error | undefined | null, value?: Value) => void;

export interface Connection {
  /** What a callback of ssh2 gives, or STALLED once the connection is lost: ssh2 itself answers nobody any more then. */
  ask<Value>(start: (done: Done<Value>) => unknown): Promise<Value>;
  /** Runs one command line on the host; `take` hears its channel from the first event on. */
  exec<Value>(command: string, take: (channel: ClientChannel, done: Done<Value>) => void): Promise<Value>;
  sftp(): Promise<SFTPWrapper>;
  close(): void;
}

/**
 * UNREACHABLE, STALLED, UNAUTHORIZED, HOST_KEY_UNKNOWN, HOST_KEY_CHANGED. Abortion closes it; STALLED is also what anything
 * ends with that is under way when the connection is lost.
 */
export async function connect({ login, jump }: Host, access: Access): Promise<Connection> {
  if (jump === null) return asConnection(await open(login, access), []);
  const outer = await open(jump, access);
  try {
    const through = asConnection(outer, []);
    const socket = await through
      .ask<Duplex>((done) => outer.forwardOut("127.0.0.1", 0, login.address, login.port, done))
      .catch((cause: unknown) => {
        const message = `the jump host cannot reach ${login.address}:${login.port}: ${messageOf(cause)}`;
        throw new ExpectedError("UNREACHABLE", message, { where: `${jump.address}:${jump.port}`, cause });
      });
    return asConnection(await open(login, access, socket), [outer]);
  } catch (error) {
    outer.destroy();
    throw error;
  }
}

function asConnection(client: Client, outer: readonly Client[]): Connection {
  let session: Promise<SFTPWrapper> | undefined;
  let closed = false;
  const waiting = new Set<(error: ExpectedError) => void>();
  client.once("close", () => {
    closed = true;
    for (const reject of waiting) reject(lost(undefined));
  });
  const ask: Connection["ask"] = (start) =>
    new Promise((resolve, reject) => {
      if (closed) return reject(lost(undefined));
      waiting.add(reject);
      start((error, value) => {
        waiting.delete(reject);
        if (error) reject(error);
        else resolve(value as Parameters<typeof resolve>[0]);
      });
    });
  const openSftp = async (): Promise<SFTPWrapper> => {
    try {
      return await ask<SFTPWrapper>((done) => client.sftp(done));
    } catch (cause) {
      if (closed || isExpected(cause)) throw lost(cause);
      throw new ExpectedError("TOOL_MISSING", `the host's sshd gives no SFTP: ${messageOf(cause)}`, {
        hint: "a line 'Subsystem sftp internal-sftp' in its sshd_config",
        cause,
      });
    }
  };
  return {
    ask,
    exec: async (command, take) => {
      try {
        return await ask((done) => {
          client.exec(command, (error, channel) => (error ? done(error) : take(channel, done)));
        });
      } catch (error) {
        throw lost(error);
      }
    },
    sftp: () => (session ??= openSftp()),
    close() {
      for (const one of [client, ...outer]) one.destroy();
    },
  };
}

async function open(login: Login, { credentials, known, signal }: Access, socket?: Duplex): Promise<Client> {
  const { address, port, user } = login;
  const where = `${address}:${port}`;
  const keys = hostKeysOf(known.text, known.path, address, port);
  const client = new ssh2.Client();
  let refused: ExpectedError | null = null;
  const stop = (): void => void client.destroy();
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  client.once("ready", () => resolve(undefined));
  // Stays: an error that nobody listens to would end the process.
  client.on("error", (error) => reject(refused ?? explained(error, login, credentials)));
  client.once("close", () => {
    signal.removeEventListener("abort", stop);
    reject(refused ?? new ExpectedError("UNREACHABLE", "the host closed the connection", { where }));
  });
  signal.addEventListener("abort", stop, { once: true });
  answerPrompts(client, credentials.passwordOf(login));
  const host: ConnectConfig = {
    ...(socket === undefined ? { host: address, port } : { sock: socket }),
    username: user,
    readyTimeout: answerMilliseconds,
    keepaliveInterval: aliveMilliseconds,
    keepaliveCountMax: 4,
    hostVerifier: (key: Buffer) => (refused = keys.refusal(key)) === null,
    ...methodsOf(login, credentials),
    algorithms: algorithms(keys),
  };
  try {
    signal.throwIfAborted();
    client.connect(host);
    await promise;
    return client;
  } catch (error) {
    client.destroy();
    if (signal.aborted) throw new ExpectedError("INTERRUPTED", "stopped by a signal", { where });
    throw isExpected(error) ? error : explained(error, login, credentials);
  }
}

/** Ciphers that Node itself has come first: ssh2 is without its native part. */
function algorithms(keys: HostKeys): NonNullable<ConnectConfig["algorithms"]> {
  return {
    serverHostKey: [...keys.algorithms],
    cipher: [
      "aes128-gcm@openssh.com",
      "aes256-gcm@openssh.com",
      "chacha20-poly1305@openssh.com",
      "aes256-ctr",
      "aes128-ctr",
    ],
  } as NonNullable<ConnectConfig["algorithms"]>;
}

function methodsOf(login: Login, credentials: Credentials): Partial<ConnectConfig> {
  const agent = credentials.agentOf(login);
  const identity = credentials.identityOf(login);
  const password = credentials.passwordOf(login);
  return {
    ...(agent === null ? {} : { agent }),
    ...(identity === null ? {} : { privateKey: identity.content, passphrase: identity.passphrase ?? "" }),
    ...(password === null ? {} : { password, tryKeyboard: true }),
    authHandler: [
      ...(identity === null ? [] : (["publickey"] as const)),
      ...(agent === null ? [] : (["agent"] as const)),
      ...(password === null ? [] : (["password", "keyboard-interactive"] as const)),
    ],
  };
}

/** A host that asks instead of taking a password gets it once, for the one question whose answer it does not show. */
function answerPrompts(client: Client, password: string | null): void {
  let answered = false;
  client.on("keyboard-interactive", (_name, _instructions, _language, prompts, finish) => {
    const [first, ...more] = prompts;
    const fits = !answered && password !== null && more.length === 0 && first?.echo !== true;
    answered ||= first !== undefined;
    finish(fits && first !== undefined ? [password] : prompts.map(() => ""));
  });
}

function explained(error: unknown, login: Login, credentials: Credentials): ExpectedError {
  const { address, port, user } = login;
  const where = `${address}:${port}`;
  const message = messageOf(error);
  const level = error instanceof Error && "level" in error ? error.level : undefined;
  if (level === "client-authentication") {
    const tried = [
      ...(credentials.identityOf(login) === null ? [] : [`the key ${login.identity}`]),
      ...(credentials.agentOf(login) === null ? [] : ["the agent"]),
      ...(credentials.passwordOf(login) === null ? [] : ["the password"]),
    ];
    return new ExpectedError("UNAUTHORIZED", `the host does not let ${user} in`, {
      where,
      found:
        tried.length === 0
          ? "hosts.yaml names no key and no password, and there is no agent"
          : `it refused ${tried.join(", ")}`,
      hint: `identity: or password: in hosts.yaml, or ssh-add; ssh -p ${port} ${user}@${address} tries the same by hand`,
      cause: error,
    });
  }
  if (level === "client-timeout")
    return new ExpectedError("STALLED", "the host does not answer", { where, cause: error });
  return new ExpectedError("UNREACHABLE", `no connection: ${message}`, { where, cause: error });
}

/** What is under way when the connection is lost. */
export function lost(cause: unknown): ExpectedError {
  if (isExpected(cause)) return cause;
  const why = cause === undefined ? "" : `: ${messageOf(cause)}`;
  return new ExpectedError("STALLED", `the connection was lost${why}`, { cause });
}
