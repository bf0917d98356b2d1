/** The hub asked over HTTP as somebody, where a journey needs what no page of it is about. */
import { createHmac } from "node:crypto";

import { type Somebody, world } from "./world.js";

export type Told = Readonly<Record<string, unknown>>;
export type Ask = (method: "GET" | "POST" | "DELETE", path: string, body?: object) => Promise<Told>;

/** A name that leads to two addresses would be tried at the wrong one first. */
const url = world.url.replace("localhost", "127.0.0.1");

/** Log somebody in beside their pages. */
export async function as({ login }: Somebody): Promise<Ask> {
  const { access_token } = await send("POST", "/v1/login", {}, { tenant: world.tenant, login, password: world.password });
  return (method, path, body) => send(method, path, { authorization: `Bearer ${String(access_token)}` }, body);
}

/** Whether a program's key is taken. */
export async function takesKey(key: string): Promise<boolean> {
  return send("POST", "/v1/login/key", {}, { tenant: world.tenant, key }).then(() => true, () => false);
}

async function send(method: string, path: string, headers: Readonly<Record<string, string>>, body?: object): Promise<Told> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: { ...headers, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as Told;
}

/** Pay somebody beside the pages; in minor units. The payment's id. */
export async function paid(payer: Somebody, payee: Somebody, amount: number): Promise<string> {
  const payment = crypto.randomUUID();
  await (await as(payer))("POST", "/v1/payments", { payment, payer: payer.account, payee: payee.account, amount });
  return payment;
}

/** What an app for codes shows now, or `ahead` steps later (RFC 6238, of a secret in base 32). */
export function totp(secret: string, ahead = 0): string {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...secret.replaceAll("=", "")].map((one) => letters.indexOf(one).toString(2).padStart(5, "0")).join("");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((one) => Number.parseInt(one, 2)));
  const step = Buffer.alloc(8);
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const mac = createHmac("sha1", key).update(step).digest();
  const at = (mac.at(-1) ?? 0) & 15;
  return ((mac.readUInt32BE(at) & 0x7fffffff) % 1_000_000).toString().padStart(6, "0");
}
