/** Where these pages are: what the hub wrote into them when it served them. */
interface Place {
  /** Whose people come here, if it is one tenant's. */
  readonly tenant?: string;
  /** Of which share of visits the hub wants to know how they felt. */
  readonly vitals?: number;
  /** Of a demo alone: who may come in, and their password. */
  readonly demo?: { readonly people: readonly (readonly [login: string, name: string])[]; readonly password: string };
}

const KEPT = "payhub-tenant";

export const place: Place = JSON.parse(document.getElementById("place")?.textContent ?? "{}") as Place;

/** The tenant of this page: of its link, else the one that was here last, else the hub's. */
export function tenantHere(): string {
  const named = new URLSearchParams(location.search).get("tenant");
  return named ?? localStorage.getItem(KEPT) ?? place.tenant ?? "";
}

export function keepTenant(tenant: string): void {
  localStorage.setItem(KEPT, tenant);
}
