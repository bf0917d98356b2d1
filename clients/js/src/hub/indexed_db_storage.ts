/** Keeps the outbox in IndexedDB: it survives a reload, a closed tab, a browser that was killed. All tabs share it. */
import type { Storage } from "./storage.js";

const TABLE = "kept";

export class IndexedDbStorage implements Storage {
  readonly #name: string;
  #opened: Promise<IDBDatabase> | undefined;

  constructor(name = "payhub") {
    this.#name = name;
  }

  async readAll(): Promise<ReadonlyMap<string, unknown>> {
    const [keys, values] = await this.#run("readonly", async (table) => [
      await answerOf(table.getAllKeys()),
      await answerOf<unknown[]>(table.getAll()),
    ]);
    return new Map(keys.map((key, at) => [String(key), values[at]]));
  }

  async put(key: string, value: unknown): Promise<void> {
    await this.#run("readwrite", (table) => answerOf(table.put(value, key)));
  }

  async remove(key: string): Promise<void> {
    await this.#run("readwrite", (table) => answerOf(table.delete(key)));
  }

  async #run<T>(mode: IDBTransactionMode, work: (table: IDBObjectStore) => Promise<T>): Promise<T> {
    const database = await this.#open();
    // Strict: fulfilled when it is on the disk, not when the system says that it will be.
    const transaction = database.transaction(TABLE, mode, { durability: "strict" });
    const completed = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error("The transaction was aborted."));
    });
    const [answer] = await Promise.all([work(transaction.objectStore(TABLE)), completed]);
    return answer;
  }

  #open(): Promise<IDBDatabase> {
    this.#opened ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(this.#name, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
      request.onsuccess = () => {
        const database = request.result;
        // Browsers close idle databases, and other tabs ask for newer ones: the next use opens it again.
        const forget = (): void => {
          database.close();
          this.#opened = undefined;
        };
        database.onclose = forget;
        database.onversionchange = forget;
        resolve(database);
      };
      request.onerror = () => reject(request.error ?? new Error("IndexedDB cannot be opened."));
    });
    // What failed once may work the next time.
    this.#opened.catch(() => {
      this.#opened = undefined;
    });
    return this.#opened;
  }
}

function answerOf<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("The request failed."));
  });
}
