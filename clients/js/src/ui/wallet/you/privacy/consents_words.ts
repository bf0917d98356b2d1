import { words } from "../../../words/words.js";

export const consentsWords = words({
  en: {
    about: "Nothing here is needed for your account. Say yes or no, and change your mind whenever you want: what rests on it stops at once.",
    none: "Nothing is asked of you",
    noneText: "Your institution asks for no consent now.",
    given: (at: string) => `You agreed on ${at}.`,
    revoked: (at: string) => `You took it back on ${at}.`,
    old: "The text has changed since you agreed. Read it, and agree again if you want.",
    agree: "I agree",
    yes: "Agreed.",
    no: "Taken back. What rested on it has stopped.",
    history: "What you said so far",
    said: { yes: "Agreed", no: "Taken back" },
    version: (version: string) => `text no. ${version}`,
  },
  pt: {
    about: "Nada aqui é preciso para sua conta. Diga sim ou não, e mude de ideia quando quiser: o que depende disso para na hora.",
    none: "Nada é pedido a você",
    noneText: "Sua instituição não pede nenhum consentimento agora.",
    given: (at: string) => `Você aceitou em ${at}.`,
    revoked: (at: string) => `Você voltou atrás em ${at}.`,
    old: "O texto mudou desde que você aceitou. Leia, e aceite de novo se quiser.",
    agree: "Aceito",
    yes: "Aceito.",
    no: "Você voltou atrás. O que dependia disso parou.",
    history: "O que você já disse",
    said: { yes: "Aceitou", no: "Voltou atrás" },
    version: (version: string) => `texto nº ${version}`,
  },
});
