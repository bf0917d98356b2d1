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
  "/sales/sale/:payment": () => import("./sales/sale/Sale.svelte"),
  "/sales/charges": () => import("./sales/charges/Charges.svelte"),
  "/sales/charges/:charge": () => import("./sales/charges/Charge.svelte"),
  "/sales/bulk": () => import("./sales/bulk/Bulks.svelte"),
  "/sales/bulk/:bulk": () => import("./sales/bulk/Bulk.svelte"),
  "/sales/keys": () => import("./sales/keys/Keys.svelte"),
  "/sales/webhooks": () => import("./sales/webhooks/Webhooks.svelte"),
  "/sales/webhooks/:webhook": () => import("./sales/webhooks/Webhook.svelte"),
  "/sales/tills": () => import("./sales/tills/Tills.svelte"),
  "/sales/fees": () => import("./sales/fees/Fees.svelte"),
  "/sales/disputes": () => import("./sales/disputes/Disputes.svelte"),
  "/sales/disputes/:dispute": () => import("./sales/disputes/Dispute.svelte"),
  "*": Home,
});
