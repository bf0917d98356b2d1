import { words } from "../../words/words.js";

export const holdWords = words({
  en: {
    title: "Reserved",
    about: "Money that is authorized and not captured yet: what ends first is at the top.",
    none: "Nothing is reserved",
    noneText: "Reservations are made by authorize, and let go by themselves when their time is over.",
    held: "Still reserved",
    captured: "Captured",
    ends: "Ends",
    description: "Description",
  },
  pt: {
    title: "Reservas",
    about: "Dinheiro autorizado e ainda não capturado: o que termina antes está em cima.",
    none: "Não há nada reservado",
    noneText: "Reservas são feitas por authorize e se liberam sozinhas quando o prazo acaba.",
    held: "Ainda reservado",
    captured: "Capturado",
    ends: "Termina",
    description: "Descrição",
  },
});
