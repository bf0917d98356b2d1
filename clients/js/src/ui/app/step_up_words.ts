/** What is said when somebody has to show again that it is them. */
import { words } from "../words/words.js";

export const stepUpWords = words({
  en: {
    title: "Is it you?",
    about: "What you are about to do is worth protecting. Confirm that it is you, and it goes on.",
    wrongPassword: "That is not your password.",
    usePassword: "Use the password",
    noWay: "Your passkey does not work in this browser. Use the device where you set it up.",
  },
  pt: {
    title: "É você mesmo?",
    about: "O que você vai fazer merece proteção. Confirme que é você e continuamos daqui.",
    wrongPassword: "Essa não é a sua senha.",
    usePassword: "Usar a senha",
    noWay: "Sua chave de acesso não funciona neste navegador. Use o aparelho onde você a criou.",
  },
});
