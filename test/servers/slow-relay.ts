/**
 * A slow way to a server, as a program of its own: `slow-relay.ts PORT HOST:PORT MILLISECONDS` listens on loopback and passes
 * all bytes on, in their order, each that much later.
 */
import { connect, createServer, type Socket } from "node:net";

const [port, target = "", milliseconds] = process.argv.slice(2);
const [host = "", targetPort] = target.split(":");

function pass(from: Socket, to: Socket): void {
  const later = (what: () => void): unknown => setTimeout(what, Number(milliseconds));
  from.on("data", (bytes) => later(() => to.destroyed || to.write(bytes)));
  from.on("error", () => from.destroy());
  from.on("close", () => later(() => to.destroy()));
}

createServer((client) => {
  const server = connect(Number(targetPort), host);
  pass(client, server);
  pass(server, client);
}).listen(Number(port), "127.0.0.1");
