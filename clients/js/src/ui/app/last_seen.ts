/** What was on the screen last, for when there is no network: balances, the latest entries, the names in them. */
import type { Storage } from "../../hub/storage.js";
import type { AccountView } from "../../state/accounts.js";
import type { Session } from "../../state/session.js";
import type { State } from "../../state/state.js";
import type { EntryState } from "../../hub/wire.js";

const KEY = "last-seen";
const ENTRIES_MAX = 50;
const WRITE_AFTER_MS = 500;

export interface Seen {
  /** When the hub said it. */
  readonly at: number;
  readonly session: Session;
  readonly accounts: readonly AccountView[];
  readonly entries: readonly EntryState[];
  readonly names: readonly (readonly [account: number, name: string])[];
}

export class LastSeen {
  readonly #storage: Storage;
  readonly #state: State;
  readonly #ends: (() => void)[] = [];
  #watched: number | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #names = new Map<number, string>();
  value: Seen | undefined;

  constructor(storage: Storage, state: State) {
    this.#storage = storage;
    this.#state = state;
  }

  /** What this person saw last. Of somebody else, whose session may have ended anywhere, nothing is shown or kept. */
  async read(person: string | undefined): Promise<void> {
    try {
      const seen = (await this.#storage.readAll()).get(KEY) as Seen | undefined;
      if (seen !== undefined && seen.session.person === person) this.value = seen;
      else if (seen !== undefined) await this.#storage.remove(KEY);
    } catch {
      // A browser that keeps nothing shows nothing without the network.
    }
    this.#names = new Map(this.value?.names);
    this.#ends.push(
      this.#state.accounts.subscribe((accounts) => {
        if (accounts.length === 0) return;
        this.#soon();
        this.#watchEntries();
      }),
    );
  }

  nameOf(account: number): string | undefined {
    return this.#names.get(account);
  }

  keepName(account: number, name: string): void {
    this.#names.set(account, name);
    this.#soon();
  }

  async forget(): Promise<void> {
    this.stop();
    this.value = undefined;
    await this.#storage.remove(KEY).catch(() => undefined);
  }

  stop(): void {
    clearTimeout(this.#timer);
    for (const end of this.#ends.splice(0)) end();
  }

  /** Pages of the first account's history come later than its balance. */
  #watchEntries(): void {
    const first = this.#state.accounts.getSnapshot()[0]?.account;
    if (first === undefined || first === this.#watched) return;
    this.#watched = first;
    this.#ends.push(this.#state.history(first).subscribe(() => this.#soon()));
  }

  #soon(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#write(), WRITE_AFTER_MS);
  }

  async #write(): Promise<void> {
    const accounts = this.#state.accounts.getSnapshot();
    const first = accounts[0];
    if (first === undefined) return;
    const history = this.#state.history(first.account).getSnapshot();
    this.value = {
      at: Date.now(),
      session: this.#state.session.getSnapshot(),
      accounts,
      // Until they have come, those of the last time are still the last ones seen.
      entries: history.isLoaded ? history.entries.slice(0, ENTRIES_MAX) : (this.value?.entries ?? []),
      names: [...this.#names],
    };
    // Nothing waits for it: it is a picture, and the next one comes.
    await this.#storage.put(KEY, this.value).catch(() => undefined);
  }
}
