/** Names for what is asked and answered. The types alone; wire.ts has the messages. */
import type { Commands } from "./wire.js";

export type CommandName = keyof Commands;

/** What has to be said; the type and the id are added. */
export type Asked<Name extends CommandName> = Omit<Commands[Name][0], "type" | "id">;

export type Answered<Name extends CommandName> = Commands[Name][1];

/** The commands that move money: each has a payment id, and the same id again moves nothing. */
export type MoneyCommand = {
  [Name in CommandName]: Commands[Name] extends [asked: { payment: string }, answered: { type: "payment" }] ? Name : never;
}[CommandName];
