/**
 * A worker thread that holds a user's rewards file and answers calls, each within its time.
 * A thread of its own, because a function that loops forever can be ended there, and only there.
 */
import { basename, extname } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { UserError } from "../errors.js";
import { endWorker, sharedThreadId, TELL_THREAD } from "./end-worker.js";
import { type Outcome, outcomeOf } from "./outcome.js";
import type { Call, CallArgs, Report, UserFunction } from "./user-types.js";

interface Pending {
  call: Call;
  settle: (outcome: Outcome) => void;
  /** waiting: not begun; running: its synchronous part runs; suspended: awaiting something. */
  state: "waiting" | "running" | "suspended";
  timer?: NodeJS.Timeout;
}

/** Importing a file may start a client or read a table: it is given longer than a call. */
const LOAD_MS = 60_000;

// Plain JavaScript: it installs the TypeScript loader, then leaves to user-worker.ts (or its compiled form).
// What the functions print goes to stderr, because stdout belongs to the command's JSON; a worker made with
// `stdout: true` would do, but reading it keeps the process from ending.
const BOOTSTRAP = `
${TELL_THREAD}
const { workerData } = require("node:worker_threads");
process.stdout.write = process.stderr.write.bind(process.stderr);
import(workerData.tsx).then(async ({ tsImport }) => {
  const { serve } = await tsImport(workerData.entry, workerData.entry);
  await serve(() => tsImport(workerData.file, workerData.entry), workerData.fallbackName);
});
`;

export class UserRewardPool {
  #worker: Worker | undefined;
  #restarting: Promise<void> | undefined;
  #closed = false;
  readonly #thread = sharedThreadId();
  #nextId = 0;
  readonly #pending = new Map<number, Pending>();

  constructor(
    private readonly file: string,
    private readonly timeoutMs: number,
  ) {}

  /** Loads the file; returns its exported functions. */
  async start(): Promise<UserFunction[]> {
    const extension = extname(import.meta.url);
    const worker = new Worker(BOOTSTRAP, {
      eval: true,
      workerData: {
        // src/torch/native.ts refuses to load libtorch there.
        purpose: "open-rs rewards",
        thread: this.#thread,
        tsx: import.meta.resolve("tsx/esm/api"),
        entry: new URL(`./user-worker${extension}`, import.meta.url).href,
        file: pathToFileURL(this.file).href,
        fallbackName: basename(this.file, extname(this.file)),
      },
    });
    this.#worker = worker;
    const functions = await this.#loaded(worker);
    worker.on("message", (report: Report) => this.#receive(report));
    worker.on("error", (error) => this.#lost(worker, error.message));
    worker.on("exit", () => this.#lost(worker, "the worker ended (did the file call process.exit?)"));
    worker.unref();
    return functions;
  }

  call(name: string, args: CallArgs, size: number | null): Promise<Outcome> {
    const call: Call = { id: this.#nextId++, name, args, size };
    return new Promise((settle) => {
      this.#pending.set(call.id, { call, settle, state: "waiting" });
      this.#send(call);
    });
  }

  /** Ends the worker; calls still open fail. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#end();
    this.#failAll("the rewards were closed");
  }

  async #end(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    if (worker) await endWorker(worker, this.#thread);
  }

  #loaded(worker: Worker): Promise<UserFunction[]> {
    return new Promise((resolve, reject) => {
      const fail = (message: string): void => {
        this.#worker = undefined;
        void endWorker(worker, this.#thread);
        reject(new UserError(`rewards file ${this.file} cannot be loaded: ${message}`));
      };
      const timer = setTimeout(() => fail(`it took longer than ${LOAD_MS} ms`), LOAD_MS);
      const done = (): void => {
        clearTimeout(timer);
        worker.removeAllListeners("message").removeAllListeners("error").removeAllListeners("exit");
      };
      worker.once("message", (report: Report) => {
        done();
        if (report.kind === "ready") resolve(report.functions);
        else fail(report.kind === "unloadable" ? report.message : `unexpected ${report.kind}`);
      });
      worker.once("error", (error) => {
        done();
        fail(error.message);
      });
      worker.once("exit", () => {
        done();
        fail("it ended the worker (process.exit?)");
      });
    });
  }

  /** Without a worker (it died, or is being replaced) the call waits for the next one. */
  #send(call: Call): void {
    this.#worker?.ref();
    if (this.#worker) this.#worker.postMessage(call);
    else this.#restarting ??= this.#restart();
  }

  #receive(report: Report): void {
    if (report.kind === "ready" || report.kind === "unloadable") return;
    const pending = this.#pending.get(report.id);
    // A call that timed out may still answer.
    if (pending === undefined) return;
    if (report.kind === "started") this.#started(pending);
    if (report.kind === "returned") pending.state = "suspended";
    if (report.kind === "threw") this.#settle(pending, { ok: false, message: report.message });
    if (report.kind === "value") this.#settle(pending, outcomeOf(report.value, report.logged, pending.call.size));
  }

  #started(pending: Pending): void {
    pending.state = "running";
    // The answer may already lie in the queue when this thread was busy: let the queue empty before the verdict.
    pending.timer = setTimeout(() => setImmediate(() => this.#timedOut(pending)), this.timeoutMs);
  }

  #settle(pending: Pending, outcome: Outcome): void {
    clearTimeout(pending.timer);
    this.#pending.delete(pending.call.id);
    if (this.#pending.size === 0) this.#worker?.unref();
    pending.settle(outcome);
  }

  /** Blames the call that blocks the worker, if one does; then the others start again in a new worker. */
  #timedOut(pending: Pending): void {
    // Settled meanwhile, or about to start again.
    if (!this.#pending.has(pending.call.id) || pending.state === "waiting") return;
    const blocking = [...this.#pending.values()].find((other) => other.state === "running");
    this.#settle(blocking ?? pending, { ok: false, message: `it took longer than ${this.timeoutMs} ms` });
    if (blocking !== undefined) this.#restarting ??= this.#restart();
  }

  async #restart(): Promise<void> {
    for (const pending of this.#pending.values()) {
      clearTimeout(pending.timer);
      pending.state = "waiting";
    }
    await this.#end();
    if (this.#closed) return;
    try {
      await this.start();
      for (const pending of this.#pending.values()) this.#send(pending.call);
    } catch (error) {
      this.#failAll((error as Error).message);
    } finally {
      this.#restarting = undefined;
    }
  }

  #failAll(message: string): void {
    for (const pending of [...this.#pending.values()]) this.#settle(pending, { ok: false, message });
  }

  /** The worker died by itself: every open call fails. */
  #lost(worker: Worker, message: string): void {
    if (worker !== this.#worker) return;
    this.#worker = undefined;
    this.#failAll(message);
  }
}
