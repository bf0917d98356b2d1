/** Something that is asked for and shown: it is on its way, it is there, or it failed. Only the last question's answer counts. */
export class Loaded<T> {
  value: T | undefined = $state.raw();
  failed: unknown = $state.raw();
  isBusy: boolean = $state(false);
  #turn = 0;
  #work: (() => Promise<T>) | undefined;

  /** Ask. What was shown stays until the answer is there, unless it is about something else (`isOther`). */
  async load(work: () => Promise<T>, isOther = false): Promise<void> {
    const turn = (this.#turn += 1);
    this.#work = work;
    if (isOther) this.value = undefined;
    this.failed = undefined;
    this.isBusy = true;
    try {
      const value = await work();
      if (turn === this.#turn) this.value = value;
    } catch (error) {
      if (turn === this.#turn) this.failed = error;
    } finally {
      if (turn === this.#turn) this.isBusy = false;
    }
  }

  async again(): Promise<void> {
    if (this.#work !== undefined) await this.load(this.#work);
  }
}

/** Rows that come page by page: the first ones, and more of them as long as there are. */
export class Pages<Row, Place> {
  rows: readonly Row[] | undefined = $state.raw();
  next: Place | undefined = $state.raw();
  failed: unknown = $state.raw();
  isBusy: boolean = $state(false);
  #turn = 0;
  #read: ((place: Place | undefined) => Promise<{ rows: readonly Row[]; next: Place | undefined }>) | undefined;

  /** Begin anew. */
  async begin(read: (place: Place | undefined) => Promise<{ rows: readonly Row[]; next: Place | undefined }>): Promise<void> {
    this.#read = read;
    this.rows = undefined;
    this.next = undefined;
    await this.#load(undefined);
  }

  /** Read the first page again, without taking away what is shown meanwhile. */
  async again(): Promise<void> {
    await this.#load(undefined);
  }

  async more(): Promise<void> {
    if (this.next !== undefined && !this.isBusy) await this.#load(this.next);
  }

  async #load(place: Place | undefined): Promise<void> {
    const read = this.#read;
    if (read === undefined) return;
    const turn = (this.#turn += 1);
    this.failed = undefined;
    this.isBusy = true;
    try {
      const { rows, next } = await read(place);
      if (turn !== this.#turn) return;
      this.rows = place === undefined ? rows : [...(this.rows ?? []), ...rows];
      this.next = next;
    } catch (error) {
      if (turn === this.#turn) this.failed = error;
    } finally {
      if (turn === this.#turn) this.isBusy = false;
    }
  }
}
