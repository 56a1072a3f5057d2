import { setTimeout as delay } from "node:timers/promises";
import type { Socket } from "socket.io-client";
import { openClient, reasonOf } from "../client/connect.ts";
import type { LoadOptions } from "../commands/load-options.ts";
import { ExitCode } from "../exit-code.ts";
import { Progress } from "../output/progress.ts";
import { styleFor } from "../output/style.ts";
import type { Terminal } from "../terminal.ts";
import { Measurement } from "./measurement.ts";
import { asObject, reportLines } from "./report.ts";

/** How often connections are opened and events emitted, in ms. */
const TICK = 5;
/** So many events may be unanswered; a server that hangs must not fill the memory of this process. */
const MAX_PENDING = 10_000;

/** @returns the exit code: DONE if there were no errors */
export async function runLoad(options: LoadOptions, { out, err }: Terminal): Promise<number> {
  const load = new Load(options, new Progress(err));
  const stop = (): void => load.stop();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, stop);
  try {
    const measurement = await load.run();
    if (options.json) out.write(`${JSON.stringify(asObject(options, measurement), undefined, 2)}\n`);
    else for (const line of reportLines(options, measurement, styleFor(out))) out.write(`${line}\n`);
    return measurement.errors.size === 0 ? ExitCode.DONE : ExitCode.FAILED;
  } finally {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.off(signal, stop);
  }
}

/** Connections are opened, used and closed at times that do not depend on how fast the server answers. */
class Load {
  readonly #options: LoadOptions;
  readonly #progress: Progress;
  readonly #measurement: Measurement = new Measurement();
  readonly #sockets = new Set<Socket>();
  /** Those that can emit. */
  readonly #ready: Socket[] = [];
  readonly #stopping = new AbortController();
  /** Of connections that are being opened. */
  readonly #timers = new Set<NodeJS.Timeout>();
  /** Neither connected nor failed. */
  #connecting = 0;
  /** Emitted and not answered. */
  #pending = 0;
  /** What happens from now on does not count. */
  #isOver = false;

  constructor(options: LoadOptions, progress: Progress) {
    this.#options = options;
    this.#progress = progress;
  }

  stop(): void {
    this.#stopping.abort();
  }

  async run(): Promise<Measurement> {
    const { connections, connectRate, duration, event, rate } = this.#options;
    await this.#atRate("connecting", connections, connectRate, () => this.#open());
    await this.#until(() => this.#connecting === 0);
    const begin = performance.now();
    if (event === undefined) await this.#keep(duration);
    else {
      const count = Math.max(1, Math.round((rate * duration) / 1000));
      await this.#atRate("emitting", count, rate, (due) => this.#emit(event, due));
    }
    this.#measurement.emitting = performance.now() - begin;
    await this.#until(() => this.#pending === 0);
    this.#close();
    this.#progress.clear();
    return this.#measurement;
  }

  /** Calls `act` so many times, at this rate per second, with the time at which each call was due. */
  async #atRate(label: string, count: number, rate: number, act: (due: number) => void): Promise<void> {
    const begin = performance.now();
    const spacing = 1000 / rate;
    for (let done = 0; done < count; await this.#pause()) {
      if (this.#stopping.signal.aborted) return;
      const due = Math.min(count, (performance.now() - begin) / spacing);
      for (; done < due; done++) act(begin + done * spacing);
      this.#progress.show(done / count, `${label}: ${done} of ${count}`);
    }
  }

  async #keep(duration: number): Promise<void> {
    const begin = performance.now();
    const done = (): number => (performance.now() - begin) / duration;
    while (done() < 1 && !this.#stopping.signal.aborted) {
      this.#progress.show(done(), `${this.#ready.length} connections`);
      await this.#pause();
    }
  }

  /** Waits for answers, each of which has a time limit of its own. */
  async #until(isOver: () => boolean): Promise<void> {
    while (!isOver() && !this.#stopping.signal.aborted) await this.#pause();
  }

  #pause(): Promise<void> {
    return delay(TICK);
  }

  #open(): void {
    const socket = openClient(this.#options.client, false);
    this.#sockets.add(socket);
    this.#connecting++;
    const begin = performance.now();
    const settle = (): void => {
      clearTimeout(timer);
      this.#timers.delete(timer);
      this.#connecting--;
    };
    const { timeout } = this.#options.client;
    const timer = setTimeout(() => {
      settle();
      this.#measurement.fail("connect: timeout");
      this.#drop(socket);
    }, timeout);
    this.#timers.add(timer);
    socket.once("connect", () => {
      settle();
      this.#measurement.connect.record(performance.now() - begin);
      this.#ready.push(socket);
    });
    socket.once("connect_error", (error) => {
      settle();
      this.#measurement.fail(`connect: ${reasonOf(error)}`);
      this.#drop(socket);
    });
    socket.once("disconnect", (reason) => {
      this.#measurement.fail(`disconnect: ${reason}`);
      this.#drop(socket);
    });
  }

  #drop(socket: Socket): void {
    this.#sockets.delete(socket);
    const index = this.#ready.indexOf(socket);
    if (index !== -1) this.#ready.splice(index, 1);
    socket.off();
    socket.disconnect();
  }

  #emit(event: string, due: number): void {
    const measurement = this.#measurement;
    const socket = this.#ready[measurement.sent % this.#ready.length];
    if (socket === undefined) return measurement.fail("event: no connection is left");
    if (this.#pending >= MAX_PENDING) return measurement.fail(`event: ${MAX_PENDING} are unanswered`);
    measurement.sent++;
    this.#pending++;
    const begin = performance.now();
    measurement.lateness = Math.max(measurement.lateness, begin - due);
    socket.timeout(this.#options.client.timeout).emit(event, ...this.#options.data, (error: Error | null) => {
      if (this.#isOver) return;
      this.#pending--;
      if (error === null) measurement.acks.record(performance.now() - begin);
      else
        measurement.fail(
          /timed out/.test(error.message) ? "acknowledgement: timeout" : "acknowledgement: disconnected",
        );
    });
  }

  #close(): void {
    this.#isOver = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#ready) this.#measurement.use(socket.io.engine.transport.name);
    for (const socket of this.#sockets) {
      socket.off();
      socket.disconnect();
    }
  }
}
