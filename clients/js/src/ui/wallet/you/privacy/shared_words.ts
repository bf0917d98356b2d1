import { words } from "../../../words/words.js";

export const sharedWords = words({
  en: {
    about: "Each time something about you was handed to somebody outside, it was written down here.",
    none: "Nobody was told anything",
    noneText: "Whatever is handed on about you will stand here.",
    bases: { consent: "by your consent", legal_obligation: "because a law demands it", contract: "for your contract", claims: "in proceedings", legitimate_interest: "legitimate interest" },
  },
  pt: {
    about: "Cada vez que algo sobre você foi entregue a alguém de fora, ficou anotado aqui.",
    none: "Ninguém soube de nada",
    noneText: "O que for entregue sobre você vai aparecer aqui.",
    bases: { consent: "com seu consentimento", legal_obligation: "porque uma lei obriga", contract: "para o seu contrato", claims: "em processo", legitimate_interest: "legítimo interesse" },
  },
});
