/**
 * What somebody sees first. By import() alone and in a file of its own: the router knows a page that comes later by
 * the text of its import, so a page must neither be loaded with the console nor import one in its own text.
 */
export const FIRST_PAGE = {
  now: () => import("./now/Now.svelte"),
  people: () => import("./people/People.svelte"),
} as const;
