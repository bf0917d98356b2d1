import { Hub, LogIn, State } from "../../src/index.js";
import { FolderStorage, NodeWebSocket } from "../../src/node/index.js";

const url = process.env["PAYHUB_URL"] ?? "http://127.0.0.1:8080";
const logIn = new LogIn({ url, tenant: process.env["PAYHUB_TENANT"] ?? "demo" });
await logIn.withPassword({
  login: process.env["PAYHUB_LOGIN"] ?? "ana",
  password: process.env["PAYHUB_PASSWORD"] ?? "demo-payhub-2026",
});

const hub = new Hub({
  url,
  token: logIn.token,
  storage: new FolderStorage(process.env["PAYHUB_OUTBOX"] ?? "outbox"),
  WebSocket: NodeWebSocket,
});
const state = new State(hub);
state.accounts.subscribe((accounts) => {
  for (const { account, posted, pending } of accounts) console.log(`${account}: ${posted}, on its way ${pending}`);
});
hub.connect();

const { accounts } = await hub.ask("accounts", {});
const payer = accounts[0]?.account ?? 0;
const payee = Number(process.env["PAYHUB_PAYEE"] ?? payer);
const { status, balance } = await hub.pay({ payer, payee, amount: 1_250, description: "Coffee" });
console.log(`${status}, ${balance ?? "nothing"} left`);
hub.close();
