/** A till in a process of its own, which may be killed: clients/js/src/node/headless_till.ts, built for Node. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

import { build } from "vite";

import type { ChargeRecord, SaleRecord, TabRecord } from "../../src/till/index.js";
import type { Told } from "../../src/node/headless_words.js";
import { url } from "./world.js";

const HOME = fileURLToPath(new URL("../../", import.meta.url));
const started: HeadlessTill[] = [];

export interface TillState {
  readonly live: boolean;
  readonly broken?: SaleRecord;
  readonly charges: readonly ChargeRecord[];
  readonly tabs: readonly TabRecord[];
  readonly sales: readonly SaleRecord[];
}

type Answer = Record<string, unknown> & { readonly failed?: string; readonly why?: string };

/** Within reach of node_modules, for what it needs of them. */
const BUILT = `${HOME}dist/headless/`;

export async function buildTill(): Promise<void> {
  await build({
    configFile: false,
    logLevel: "warn",
    build: { ssr: `${HOME}src/node/headless_till.ts`, outDir: BUILT, target: "node20", minify: false, copyPublicDir: false, rolldownOptions: { output: { entryFileNames: "till.js" } } },
  });
}

export class HeadlessTill {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #waiting: { readonly word: string; readonly resolve: (answer: Answer) => void; readonly reject: (error: Error) => void }[] = [];
  readonly #ended: Promise<void>;
  errors = "";

  constructor(folder: string, clockMs = 0) {
    const env = { ...process.env, PAYHUB_CLOCK_MS: String(clockMs) };
    this.#process = spawn(process.execPath, [`${BUILT}till.js`, folder, url], { env });
    this.#process.stderr.on("data", (data) => (this.errors += String(data)));
    createInterface({ input: this.#process.stdout }).on("line", (line) => this.#hear(JSON.parse(line) as Answer));
    this.#ended = new Promise((resolve) => {
      this.#process.on("close", () => {
        for (const { reject } of this.#waiting.splice(0)) reject(new Error(`The till is gone. ${this.errors}`));
        resolve();
      });
    });
    started.push(this);
  }

  /** Rejected when it said no, and when it was killed before it said anything. */
  ask(told: Told): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ word: told.do, resolve, reject });
      this.#process.stdin.write(`${JSON.stringify(told)}\n`, (error) => error && reject(error));
    });
  }

  async state(): Promise<TillState> {
    return (await this.ask({ do: "state" })) as unknown as TillState;
  }

  async until(holds: (state: TillState) => boolean, what: string): Promise<TillState> {
    const deadline = Date.now() + 60_000;
    for (;;) {
      const state = await this.state();
      if (holds(state)) return state;
      if (Date.now() > deadline) throw new Error(`It never came to it: ${what}. ${JSON.stringify(state)} ${this.errors}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** As the power goes: nothing is said, nothing is tidied up. */
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#ended;
  }

  #hear(answer: Answer): void {
    const word = answer.failed ?? answer["done"];
    const at = this.#waiting.findIndex((one) => one.word === word);
    const [asked] = at < 0 ? [] : this.#waiting.splice(at, 1);
    if (answer.failed === undefined) asked?.resolve(answer);
    else asked?.reject(new Error(answer.why));
  }
}

export async function killTills(): Promise<void> {
  for (const till of started.splice(0)) await till.kill();
}
