/** The service worker: it keeps the pages for when there is no network, and hears pushes when no page is open. */

/** After the page is there: nobody waits for it. */
export function keepWorker(scope: string): void {
  if (!("serviceWorker" in navigator) || import.meta.env.DEV) return;
  addEventListener("load", () => {
    navigator.serviceWorker.register("/sw.js", { scope, type: "module" }).catch(() => undefined);
  });
}
