import type {
  ArrivedBatch,
  Batch,
  Journal,
  JournaledEvent,
  JournalHandlers,
  JournalSettings,
  Place,
  Renewal,
  StateChange,
} from "../../src/journal/journal.ts";
import { EVENT } from "../../src/journal/journal.ts";

/** A journal of one node in memory, which a test lets be away. What it has published arrives when the test says so. */
export class MemoryJournal implements Journal {
  readonly lease: number = 15_000;
  /** Whether calls are rejected. */
  isAway = false;
  /** Whether the next renewal says that the states are gone. */
  hasLostStates = false;
  /** Changes of states are not written before this. */
  beforeWrite: () => Promise<void> = () => Promise.resolve();
  /** The changes of states that it was given, one list for each call. */
  readonly changes: (readonly StateChange[])[] = [];
  /** The batches that it was given. */
  readonly batches: ArrivedBatch[] = [];
  /** What was read: after which id, up to which. */
  readonly reads: [after: number, until: number][] = [];
  readonly #events: JournaledEvent[] = [];
  #settings: JournalSettings | undefined = undefined;
  #handlers: JournalHandlers | undefined = undefined;

  start(settings: JournalSettings, handlers: JournalHandlers): void {
    this.#settings = settings;
    this.#handlers = handlers;
    handlers.onListening();
  }

  /** Whether batches arrive. */
  set isListening(isListening: boolean) {
    if (isListening) this.#handlers?.onListening();
    else this.#handlers?.onDeaf();
  }

  /** Delivers a batch, as if another node had added it. */
  deliver(batch: ArrivedBatch): void {
    this.#handlers?.onBatch(batch);
  }

  /** An event of another node, which nobody hears of. */
  keep(event: JournaledEvent): void {
    this.#events.push(event);
  }

  get place(): Place {
    return { epoch: "epoch", birth: 0, history: "history", origin: 0, id: this.#events.length, at: 1 };
  }

  append({ namespace, first, items }: Batch): Promise<Place> {
    return this.#answer(() => {
      const { publisher } = this.#settings!;
      this.batches.push({ namespace, first, items, publisher, after: this.place });
      for (const [index, item] of items.entries()) {
        if (!item.startsWith(EVENT)) continue;
        this.keep({ id: this.#events.length + 1, item, publisher, seq: first + index, at: 1 });
      }
      return this.place;
    });
  }

  read(_namespace: string, after: number, until: number): Promise<JournaledEvent[]> {
    return this.#answer(() => {
      this.reads.push([after, until]);
      return this.#events.filter(({ id }) => id > after && id <= until);
    });
  }

  renew(namespaces: ReadonlyMap<string, Place>): Promise<Renewal> {
    return this.#answer(() => {
      const { hasLostStates } = this;
      this.hasLostStates = false;
      const places = new Map([...namespaces.keys()].map((name) => [name, this.place]));
      return { hasLostStates, places };
    });
  }

  resume(): Promise<Place> {
    return this.#answer(() => this.place);
  }

  async write(changes: readonly StateChange[]): Promise<void> {
    await this.beforeWrite();
    return this.#answer(() => void this.changes.push(changes));
  }

  take(): Promise<undefined> {
    return this.#answer(() => undefined);
  }

  revoke(): Promise<void> {
    return this.#answer(() => {});
  }

  close(): Promise<void> {
    this.#handlers = undefined;
    return Promise.resolve();
  }

  async #answer<T>(answer: () => T): Promise<T> {
    if (this.isAway) throw new Error("the journal is away");
    return answer();
  }
}
