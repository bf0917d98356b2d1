/**
 * A till that is talked to in lines of JSON, for tests and load: `node headless_till.js FOLDER URL`.
 *
 *     {"do":"pair","tenant":"demo","code":"ACDE-FGHJ"}   {"do":"charge","amount":1250}   {"do":"tab","amount":10000,"label":"7"}
 *     {"do":"sell","hold":"…","amount":500}              {"do":"close","hold":"…"}       {"do":"state"}
 *
 * Each is answered by one line: what was asked with `done`, or with `failed` and why. What `sell` has answered is in the
 * folder; kill the program whenever you like. PAYHUB_CLOCK_MS sets its clock forward or back.
 */
import { createInterface } from "node:readline";

import { Till } from "../till/index.js";
import { FolderStorage } from "./folder_storage.js";
import { type Told, toldOf } from "./headless_words.js";
import { NodeWebSocket } from "./index.js";

const [folder = "till", url = "http://127.0.0.1:8080"] = process.argv.slice(2);
const clockMs = Number(process.env["PAYHUB_CLOCK_MS"] ?? 0);
const till = await Till.open({
  url,
  storage: new FolderStorage(folder),
  keyForm: "file",
  WebSocket: NodeWebSocket,
  now: () => Date.now() + clockMs,
});
till.connect();

function say(told: object): void {
  process.stdout.write(`${JSON.stringify(told)}\n`);
}

async function act(told: Told): Promise<object> {
  switch (told.do) {
    case "pair":
      return till.pair(told.tenant, told.code);
    case "charge":
      return till.charges.ask(told.amount, told.description);
    case "leave":
      await till.charges.leave(told.charge);
      return {};
    case "tab":
      return till.tabs.ask(told.amount, told.label, told.lasts_s);
    case "sell":
      return till.tabs.sell(told.hold, told.amount, told.description);
    case "close":
      await till.tabs.close(told.hold);
      return {};
    case "state":
      return { live: till.isLive, broken: await till.findBroken(), ...till.book.getSnapshot() };
  }
}

say({ ready: till.terminal.paired ?? null });
for await (const line of createInterface({ input: process.stdin })) {
  const told = toldOf(line);
  if (told === undefined) say({ failed: "unreadable" });
  else {
    act(told).then(
      (done) => say({ done: told.do, ...done }),
      (error: unknown) => say({ failed: told.do, why: error instanceof Error ? error.message : String(error) }),
    );
  }
}
till.close();
