/**
 * Keeps the pages for when there is no network, and shows pushes when no page is open. It holds no money and no token:
 * a push says that there is something, and the page asks the hub what.
 */
import { pageOf, type Push, readPush } from "./push_target.js";

declare const self: ServiceWorkerGlobalScope;

const SHELL = "shell";
/** What the hub serves as pages, whatever stands after it. */
const PAGES = ["/app/", "/pos/"] as const;
const LIST = "/shell.json";

self.addEventListener("install", (event) => {
  event.waitUntil(keepShell().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(self.clients.claim());
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  const page = PAGES.find((one) => url.pathname.startsWith(one));
  if (page !== undefined && event.request.mode === "navigate") event.respondWith(fetchPage(event.request, page));
  else if (url.pathname.startsWith("/assets/")) event.respondWith(fetchAsset(event.request));
});

self.addEventListener("push", (event) => {
  event.waitUntil(show(readPush(event.data?.text())));
});

self.addEventListener("notificationclick", (event) => {
  const { kind, seen } = readData(event.notification.data);
  event.notification.close();
  // Whoever taps has seen it: it is told on no other road, though nobody may be logged in here.
  event.waitUntil(Promise.all([open(pageOf(kind)), seen === undefined ? undefined : acknowledge(seen)]));
});

/** Everything that the pages may need, so that each of them opens without a network, the ones never seen too. */
async function keepShell(): Promise<void> {
  const cache = await caches.open(SHELL);
  const files = (await (await fetch(LIST, { cache: "no-cache" })).json()) as string[];
  const known = new Set((await cache.keys()).map((request) => new URL(request.url).pathname));
  await cache.addAll(files.filter((file) => !known.has(file)));
  await cache.addAll(PAGES.map((page) => new Request(page, { cache: "reload" })));
  const wanted = new Set<string>([...files, ...PAGES]);
  for (const path of known) if (!wanted.has(path)) await cache.delete(path);
}

/** The hub's page while there is a hub, and otherwise the one that was kept. */
async function fetchPage(request: Request, page: string): Promise<Response> {
  try {
    const response = await fetch(request);
    if (response.ok) {
      const cache = await caches.open(SHELL);
      const known = (await cache.match(page))?.headers.get("etag");
      await cache.put(page, response.clone());
      // A new version of the page has new files: they are fetched while there is a network.
      if (known !== response.headers.get("etag")) void keepShell().catch(() => undefined);
    }
    return response;
  } catch {
    return (await caches.match(page)) ?? Response.error();
  }
}

/** Named for what is in it, so what was kept is right for ever. */
async function fetchAsset(request: Request): Promise<Response> {
  const kept = await caches.match(request, { ignoreVary: true });
  return kept ?? fetch(request);
}

/** One of a kind on the screen: the next one takes its place. What was acknowledged elsewhere goes. */
async function show({ title, body, tag, badge, clears, data }: Push): Promise<void> {
  await tellBadge(badge);
  for (const one of clears ?? []) {
    for (const shown of await self.registration.getNotifications({ tag: one })) shown.close();
  }
  if (title === undefined && clears !== undefined) return;
  await self.registration.showNotification(title ?? "Payhub", {
    ...(body !== undefined && { body }),
    tag: tag ?? "payhub",
    icon: "/icon-192.png",
    badge: "/badge-96.png",
    data: data ?? {},
  });
}

/** What the icon says, where there is one that can. */
async function tellBadge(count: number | undefined): Promise<void> {
  if (count === undefined || !("setAppBadge" in self.navigator)) return;
  await (count > 0 ? self.navigator.setAppBadge(count) : self.navigator.clearAppBadge()).catch(() => undefined);
}

function readData(data: unknown): NonNullable<Push["data"]> {
  return typeof data === "object" && data !== null ? data : {};
}

async function acknowledge(seen: string): Promise<void> {
  const headers = { "content-type": "application/json" };
  await fetch("/v1/seen", { method: "POST", headers, body: JSON.stringify({ seen }) }).catch(() => undefined);
}

async function open(path: string): Promise<void> {
  const target = new URL(path, location.origin);
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = windows.find((one) => new URL(one.url).pathname.startsWith("/app/"));
  try {
    if (page === undefined) throw new Error("No page is open.");
    await page.focus();
    await page.navigate(target.href);
  } catch {
    // A page that this worker does not have in its care yet cannot be led anywhere.
    await self.clients.openWindow(target.href);
  }
}
