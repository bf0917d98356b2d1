/**
 * What happens around the client: the network goes and comes back, the tab is looked at again, the machine has slept.
 * Browsers say the first three; sleep shows as a clock that has gone on without us. Where there is no page, only the
 * clock is left.
 */
const TICK_MS = 5_000;
/** Timers of hidden pages come up to a minute late without any sleep. */
const SLEPT_MS = 70_000;

/** Calls `awake` whenever it is worth looking at once whether the connection still is one; `gone` when it hardly is. */
export function watchWorld(awake: () => void, gone: () => void): () => void {
  const page = globalThis as Partial<Pick<Window, "addEventListener" | "removeEventListener">>;
  const sheet = typeof document === "undefined" ? undefined : document;
  const looked = (): void => {
    if (isVisible()) awake();
  };
  page.addEventListener?.("online", awake);
  page.addEventListener?.("pageshow", awake);
  page.addEventListener?.("offline", gone);
  sheet?.addEventListener("visibilitychange", looked);
  let last = Date.now();
  const tick = setInterval(() => {
    const now = Date.now();
    if (now - last > SLEPT_MS || now < last) awake();
    last = now;
  }, TICK_MS);
  // In Node, watching the clock is no reason for a program to go on.
  if (typeof tick === "object") (tick as { unref(): void }).unref();
  return () => {
    clearInterval(tick);
    page.removeEventListener?.("online", awake);
    page.removeEventListener?.("pageshow", awake);
    page.removeEventListener?.("offline", gone);
    sheet?.removeEventListener("visibilitychange", looked);
  };
}

/** Whether somebody may be looking. Where there is no page there is nobody to wait for. */
export function isVisible(): boolean {
  return typeof document === "undefined" || document.visibilityState === "visible";
}

/** Whether this runs in a web page or its worker, whose WebSockets name their Origin. */
export function isWeb(): boolean {
  return typeof location === "object" && location !== null && /^https?:/.test(location.protocol);
}
