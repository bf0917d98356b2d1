/** What tests/hub/test_client.py has set up: a real hub that may be killed and comes back, and people with money. */
import { randomInt } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";

import { Hub, type HubOptions, LogIn, State } from "../../src/index.js";
import { NodeWebSocket } from "../../src/node/index.js";

export interface Somebody {
  readonly login: string;
  readonly account: number;
}
interface World {
  readonly port: number;
  readonly tenant: string;
  readonly password: string;
  readonly pidFile: string;
  readonly awayFile: string;
  readonly origin: string;
  readonly people: Readonly<Record<"ana" | "bruno" | "cafe", Somebody>>;
}

const told = process.env["PAYHUB_REAL"];
if (told === undefined) throw new Error("Run these by pytest: tests/hub/test_client.py starts the hub.");
export const world: World = JSON.parse(told);
export const url = `http://127.0.0.1:${world.port}`;

export interface Client {
  readonly hub: Hub;
  readonly state: State;
  readonly logIn: LogIn;
}
const opened: Hub[] = [];

/** Logged in by the password, not connected yet. */
export async function clientOf({ login }: Somebody, options: Partial<HubOptions> = {}): Promise<Client> {
  const logIn = new LogIn({ url, tenant: world.tenant });
  await logIn.withPassword({ login, password: world.password });
  return clientBy(logIn, options);
}

export function clientBy(logIn: LogIn, options: Partial<HubOptions> = {}): Client {
  const hub = new Hub({ url, token: logIn.token, WebSocket: NodeWebSocket, ...options });
  opened.push(hub);
  return { hub, state: new State(hub), logIn };
}

export function closeAll(): void {
  for (const hub of opened.splice(0)) hub.close();
}

export function signalHub(signal: NodeJS.Signals): void {
  process.kill(Number(readFileSync(world.pidFile, "utf8")), signal);
}

/** No hub, and none that comes back until `hubReturns`. */
export async function hubLeaves(): Promise<void> {
  writeFileSync(world.awayFile, "");
  signalHub("SIGKILL");
  for (;;) {
    if (await fetch(`${url}/readyz`).then(() => false, () => true)) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function hubReturns(): Promise<void> {
  rmSync(world.awayFile, { force: true });
  await hubIsUp();
}

/** The hub is killed and started anew; this is when the new one takes requests. */
export async function hubIsUp(): Promise<void> {
  for (;;) {
    const ready = await fetch(`${url}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export async function until(holds: () => boolean, what: string): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`It never came to it: ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A road to the hub that breaks: each connection is cut after a random number of bytes, in whichever direction. */
export class Tunnel {
  readonly #server: Server;
  cuts = 0;
  isSafe = false;

  private constructor(bytesMax: number) {
    this.#server = createServer((client) => {
      const hub = connect(world.port, "127.0.0.1");
      let left = 2_000 + randomInt(bytesMax);
      const carry = (from: Socket, to: Socket): void => {
        from.on("data", (data) => {
          left -= data.length;
          if (left > 0 || this.isSafe) to.write(data);
          else {
            this.cuts += 1;
            from.destroy();
            to.destroy();
          }
        });
        from.on("error", () => to.destroy());
        from.on("close", () => to.destroy());
      };
      carry(client, hub);
      carry(hub, client);
    });
  }

  static open(bytesMax: number): Promise<Tunnel> {
    const tunnel = new Tunnel(bytesMax);
    return new Promise((resolve) => tunnel.#server.listen(0, "127.0.0.1", () => resolve(tunnel)));
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("The tunnel is closed.");
    return `http://127.0.0.1:${address.port}`;
  }

  close(): void {
    this.#server.close();
  }
}
