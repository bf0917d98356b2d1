/** Before each file: a page that knows where it is, and reads Portuguese unless a test says otherwise. */
import { cleanup } from "@testing-library/svelte";
import { afterEach, beforeEach } from "vitest";

import { preferences } from "../../src/ui/words/preferences.svelte.js";

beforeEach(() => {
  localStorage.clear();
  preferences.language = "pt";
  preferences.hidesAmounts = false;
});
afterEach(() => cleanup());
