/**
 * The life of a process. It fails until its main function has ended: an event loop that ran empty before that, or an
 * error that nobody caught, is a bug and is told as one. A reader of its output that goes away changes nothing.
 */

/** Runs `main` and ends with the exit code that it gives. */
export function runMain(main: () => number | Promise<number>): void {
  process.exitCode = 1;
  let finished = false;
  survivePipes();
  process.once("beforeExit", () => {
    if (!finished) tellBug(new Error("the program has nothing left to wait for, and its work is not done"));
  });
  // Rejections that nobody handles come here too.
  process.once("uncaughtException", (error) => {
    tellBug(error);
    process.exit(1);
  });
  void (async () => {
    process.exitCode = await main();
    finished = true;
  })();
}

/** Says what no operator can mend. */
export function tellBug(error: unknown, err: { write(text: string): unknown } = process.stderr): void {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  err.write(`This is a bug in Kubeferry; please report it with the lines below.\n${stack}\n`);
}

/** Of a reader that is gone (`| head`, ssh), and of what is written after it. */
const gone = new Set(["EPIPE", "ECONNRESET", "ERR_STREAM_DESTROYED"]);

/** Output that is lost for another reason, to a full disk, makes no command end early, but none ends with 0 then. */
function survivePipes(): void {
  let lost = false;
  process.stderr.on("error", () => undefined);
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    const closed = process.stdout.isTTY && error.code === "EIO";
    if (lost || closed || gone.has(error.code ?? "")) return;
    lost = true;
    process.stderr.write(`error: what this command prints cannot be written, and it goes on: ${error.message}\n`);
  });
  process.once("exit", (code) => {
    if (lost && code === 0) process.exitCode = 1;
  });
}
