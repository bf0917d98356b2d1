/** What is heard: made on the spot, of no file. A browser lets a page sound only after somebody has touched it. */
import { vibrate } from "../kit/vibrate.js";

const KEPT = "payhub-till-sound";

interface Note {
  readonly hertz: number;
  readonly at: number;
  readonly lasts: number;
}

const PAID: readonly Note[] = [
  { hertz: 659.26, at: 0, lasts: 0.14 },
  { hertz: 987.77, at: 0.12, lasts: 0.14 },
  { hertz: 1318.51, at: 0.24, lasts: 0.42 },
];
const ACCEPTED: readonly Note[] = [
  { hertz: 587.33, at: 0, lasts: 0.14 },
  { hertz: 880, at: 0.14, lasts: 0.3 },
];
const REFUSED: readonly Note[] = [
  { hertz: 311.13, at: 0, lasts: 0.2 },
  { hertz: 207.65, at: 0.2, lasts: 0.42 },
];
const LOUD = 0.22;

export class Sounds {
  #context: AudioContext | undefined;
  #isOn = localStorage.getItem(KEPT) !== "off";

  constructor() {
    const wake = (): void => this.#wake();
    addEventListener("pointerdown", wake);
    addEventListener("keydown", wake);
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  set isOn(isOn: boolean) {
    this.#isOn = isOn;
    localStorage.setItem(KEPT, isOn ? "on" : "off");
    if (isOn) this.paid();
  }

  paid(): void {
    this.#play(PAID, "triangle");
    vibrate([60, 40, 120]);
  }

  accepted(): void {
    this.#play(ACCEPTED, "triangle");
    vibrate(80);
  }

  refused(): void {
    this.#play(REFUSED, "sawtooth");
    vibrate([160, 80, 160]);
  }

  #wake(): void {
    if (typeof AudioContext === "undefined") return;
    this.#context ??= new AudioContext();
    if (this.#context.state === "suspended") void this.#context.resume().catch(() => undefined);
  }

  #play(notes: readonly Note[], type: OscillatorType): void {
    const context = this.#context;
    if (!this.#isOn || context === undefined || context.state !== "running") return;
    const start = context.currentTime + 0.02;
    for (const { hertz, at, lasts } of notes) {
      const tone = context.createOscillator();
      const level = context.createGain();
      tone.type = type;
      tone.frequency.value = hertz;
      level.gain.setValueAtTime(0, start + at);
      level.gain.linearRampToValueAtTime(LOUD, start + at + 0.015);
      level.gain.exponentialRampToValueAtTime(0.001, start + at + lasts);
      tone.connect(level).connect(context.destination);
      tone.start(start + at);
      tone.stop(start + at + lasts + 0.05);
    }
  }
}
