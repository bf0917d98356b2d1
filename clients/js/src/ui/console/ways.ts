/** The ways around the console, in the order of a shift: watch, decide, look up. */
import Activity from "@lucide/svelte/icons/activity";
import ArrowLeftRight from "@lucide/svelte/icons/arrow-left-right";
import Building2 from "@lucide/svelte/icons/building-2";
import Cable from "@lucide/svelte/icons/cable";
import Lock from "@lucide/svelte/icons/lock";
import MailX from "@lucide/svelte/icons/mail-x";
import Scale from "@lucide/svelte/icons/scale";
import ScrollText from "@lucide/svelte/icons/scroll-text";
import SearchCheck from "@lucide/svelte/icons/search-check";
import Users from "@lucide/svelte/icons/users";

import type { Page } from "./may.js";
import { p } from "./routes.js";

export interface Way {
  readonly page: Page;
  /** Asked for when it is shown: the router knows its base only then. */
  readonly href: () => string;
  readonly path: string;
  /** What else belongs to it. */
  readonly under: readonly string[];
  readonly Icon: typeof Activity;
}

export const WAYS: readonly { readonly group: "watch" | "decide" | "look" | "rule"; readonly ways: readonly Way[] }[] = [
  {
    group: "watch",
    ways: [
      { page: "now", href: () => p("/"), path: "/", under: [], Icon: Activity },
      { page: "connections", href: () => p("/connections"), path: "/connections", under: [], Icon: Cable },
    ],
  },
  {
    group: "decide",
    ways: [
      { page: "reviews", href: () => p("/reviews"), path: "/reviews", under: [], Icon: SearchCheck },
      { page: "disputes", href: () => p("/disputes"), path: "/disputes", under: ["/dispute/"], Icon: Scale },
      { page: "holds", href: () => p("/holds"), path: "/holds", under: [], Icon: Lock },
      { page: "notices", href: () => p("/notices"), path: "/notices", under: [], Icon: MailX },
    ],
  },
  {
    group: "look",
    ways: [
      { page: "payments", href: () => p("/payments"), path: "/payments", under: ["/payment/", "/account/"], Icon: ArrowLeftRight },
      { page: "people", href: () => p("/people"), path: "/people", under: ["/person/"], Icon: Users },
      { page: "audit", href: () => p("/audit"), path: "/audit", under: [], Icon: ScrollText },
    ],
  },
  { group: "rule", ways: [{ page: "tenant", href: () => p("/tenant"), path: "/tenant", under: [], Icon: Building2 }] },
];

/** Which page a path belongs to. */
export function pageAt(path: string): Page {
  for (const { ways } of WAYS) {
    for (const { page, path: own, under } of ways) {
      if (path === own || under.some((one) => path.startsWith(one))) return page;
    }
  }
  return "now";
}
