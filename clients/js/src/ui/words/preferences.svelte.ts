/** How a person wants to read: which language, by day or by night, with amounts shown or hidden. Kept in this browser. */
export type Language = "pt" | "en";
export type Theme = "system" | "light" | "dark";

const LANGUAGE = "payhub-language";
const THEME = "payhub-theme";
const AMOUNTS = "payhub-amounts-hidden";

/** For Intl: how dates and sums are written. A Brazilian's money is written the Brazilian way in both languages. */
const LOCALES: Readonly<Record<Language, string>> = { pt: "pt-BR", en: "en-GB" };

class Preferences {
  #language: Language = $state(firstLanguage());
  #theme: Theme = $state(read(THEME, ["system", "light", "dark"]) ?? "system");
  #hidesAmounts: boolean = $state(localStorage.getItem(AMOUNTS) === "yes");

  get language(): Language {
    return this.#language;
  }

  set language(language: Language) {
    this.#language = language;
    localStorage.setItem(LANGUAGE, language);
    this.show();
  }

  get locale(): string {
    return LOCALES[this.#language];
  }

  get theme(): Theme {
    return this.#theme;
  }

  set theme(theme: Theme) {
    this.#theme = theme;
    localStorage.setItem(THEME, theme);
    this.show();
  }

  get hidesAmounts(): boolean {
    return this.#hidesAmounts;
  }

  set hidesAmounts(hides: boolean) {
    this.#hidesAmounts = hides;
    localStorage.setItem(AMOUNTS, hides ? "yes" : "no");
  }

  /** Tell the page: once at the start, and whenever it changes. */
  show(): void {
    document.documentElement.lang = LOCALES[this.#language];
    if (this.#theme === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = this.#theme;
  }
}

function firstLanguage(): Language {
  const kept = read(LANGUAGE, ["pt", "en"]);
  if (kept !== undefined) return kept;
  return navigator.languages.some((one) => one.toLowerCase().startsWith("pt")) ? "pt" : "en";
}

function read<One extends string>(key: string, known: readonly One[]): One | undefined {
  const kept = localStorage.getItem(key);
  return known.find((one) => one === kept);
}

export const preferences = new Preferences();
