/** An HTTP server on the loopback that has a few files in memory. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";

/** The server, which the test closes, and `http://127.0.0.1:PORT`. `files`: by path, `/sums`; any other is 404. */
export async function serveFiles(
  files: Readonly<Record<string, string | Buffer | undefined>>,
): Promise<{ server: Server; url: string }> {
  const server = createServer(({ url = "" }, answer) => {
    const found = files[url];
    answer.statusCode = found === undefined ? 404 : 200;
    answer.end(found ?? "");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  return { server, url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}` };
}
