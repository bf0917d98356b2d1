/**
 * Pushes to this browser. It is registered by whoever wants them here, and again after each of their log-ins: the hub
 * forgets a browser with the session that registered it.
 */
import type { Visit } from "./visit.svelte.js";
import { preferences } from "../words/preferences.svelte.js";

/** Whose pushes this browser takes. */
const WANTED = "payhub-pushes";

/** Why it cannot be: by this browser, or because its person forbade it. */
export type Unable = "unable" | "denied";

export class PushServiceAway extends Error {
  override readonly name = "PushServiceAway";
}

export function hindrance(): Unable | undefined {
  if (!("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) return "unable";
  return Notification.permission === "denied" ? "denied" : undefined;
}

/** Whether this person wants them here. */
export function wantsPushes(person: string | undefined): boolean {
  return person !== undefined && hindrance() === undefined && localStorage.getItem(WANTED) === person;
}

/** Ask the browser, and register it. Undefined: it is done. Rejected: PushServiceAway, or what the hub refused. */
export async function takePushes(visit: Visit, person: string): Promise<Unable | undefined> {
  const hindered = hindrance();
  if (hindered !== undefined) return hindered;
  if ((await Notification.requestPermission()) !== "granted") return "denied";
  await register(visit);
  localStorage.setItem(WANTED, person);
  return undefined;
}

/** No more of them here. What the hub still knows of it it forgets by the subscription's end. */
export async function leavePushes(): Promise<void> {
  localStorage.removeItem(WANTED);
  const subscription = await (await navigator.serviceWorker.ready).pushManager.getSubscription();
  await subscription?.unsubscribe();
}

/** At each start: the browser may have another subscription meanwhile, and the person another session. */
export async function keepPushes(visit: Visit): Promise<void> {
  if (wantsPushes(visit.session.person) && Notification.permission === "granted") await register(visit);
}

async function register(visit: Visit): Promise<void> {
  const { key } = await visit.ask("push_key", {});
  const subscription = (await subscribe(key)).toJSON();
  const { endpoint, keys } = subscription;
  const p256dh = keys?.["p256dh"];
  const auth = keys?.["auth"];
  if (endpoint === undefined || p256dh === undefined || auth === undefined) throw new PushServiceAway();
  await visit.ask("register_phone", { provider: "web", language: preferences.language, endpoint, p256dh, auth });
}

async function subscribe(key: string): Promise<PushSubscription> {
  const { pushManager } = await navigator.serviceWorker.ready;
  const options: PushSubscriptionOptionsInit = { userVisibleOnly: true, applicationServerKey: bytesOf(key) };
  try {
    return await pushManager.subscribe(options);
  } catch {
    // It may be subscribed with another hub's key, which it does not exchange by itself.
    await (await pushManager.getSubscription())?.unsubscribe();
    try {
      return await pushManager.subscribe(options);
    } catch (error) {
      throw new PushServiceAway(String(error));
    }
  }
}

/** Of base64url. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (one) => one.charCodeAt(0));
}
