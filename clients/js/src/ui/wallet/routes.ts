/** The wallet's pages by their paths. Home comes with the first load; each of the others when somebody goes there. */
import { createRouter } from "sv-router";

import Home from "./home/Home.svelte";

export const { p, navigate, route } = createRouter({
  "/": Home,
  "/pay": () => import("./pay/Pay.svelte"),
  "/ask": () => import("./ask/Ask.svelte"),
  "/activity": () => import("./activity/Activity.svelte"),
  "/payment/:payment": () => import("./payment/Payment.svelte"),
  "/tab/:hold": () => import("./tab/Tab.svelte"),
  "/notices": () => import("./notices/Notices.svelte"),
  "/you": () => import("./you/You.svelte"),
  "/sales": () => import("./sales/Sales.svelte"),
  "*": Home,
});
