/** The console's pages by their paths. Each comes when somebody goes there. */
import { createRouter } from "sv-router";

import Home from "./Home.svelte";

export const { p, navigate, route } = createRouter({
  "/": Home,
  "/payments": () => import("./payments/Payments.svelte"),
  "/payment/:payment": () => import("./explain/Explain.svelte"),
  "/account/:account": () => import("./payments/Account.svelte"),
  "/reviews": () => import("./reviews/Reviews.svelte"),
  "/disputes": () => import("./disputes/Disputes.svelte"),
  "/dispute/:dispute": () => import("./disputes/Dispute.svelte"),
  "/holds": () => import("./holds/Holds.svelte"),
  "/notices": () => import("./notices/DeadLetters.svelte"),
  "/people": () => import("./people/People.svelte"),
  "/person/:person": () => import("./people/Person.svelte"),
  "/audit": () => import("./audit/Audit.svelte"),
  "/connections": () => import("./connections/Connections.svelte"),
  "/tenant": () => import("./tenant/Tenant.svelte"),
  "*": Home,
});
