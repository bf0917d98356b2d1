/** The wallet's pages by their paths. Home comes with the first load; each of the others when somebody goes there. */
import { createRouter } from "sv-router";

import Home from "./home/Home.svelte";

export const { p, navigate, route } = createRouter({
  "/": Home,
  "/pay": () => import("./pay/Pay.svelte"),
  "/ask": () => import("./ask/Ask.svelte"),
  "/activity": () => import("./activity/Activity.svelte"),
  "/payment/:payment": () => import("./payment/Payment.svelte"),
  "/notices": () => import("./notices/Notices.svelte"),
  "/you": () => import("./you/You.svelte"),
  "/you/profile": () => import("./you/profile/Profile.svelte"),
  "/you/security": () => import("./you/security/Security.svelte"),
  "/you/devices": () => import("./you/devices/Devices.svelte"),
  "/you/limits": () => import("./you/limits/Limits.svelte"),
  "/you/schedules": () => import("./you/schedules/Schedules.svelte"),
  "/you/notices": () => import("./you/notices/Telling.svelte"),
  "/you/privacy": () => import("./you/privacy/Privacy.svelte"),
  "/you/privacy/held": () => import("./you/privacy/Held.svelte"),
  "/you/privacy/copy": () => import("./you/privacy/Copies.svelte"),
  "/you/privacy/shared": () => import("./you/privacy/Shared.svelte"),
  "/you/privacy/consents": () => import("./you/privacy/Consents.svelte"),
  "/you/privacy/requests": () => import("./you/privacy/Requests.svelte"),
  "/you/privacy/erasure": () => import("./you/privacy/Erasure.svelte"),
  "/sales": () => import("./sales/Sales.svelte"),
  "*": Home,
});
