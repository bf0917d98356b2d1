/** What the frame around the wallet's pages says. */
import { words } from "../words/words.js";

export const walletWords = words({
  en: {
    loading: "Loading",
    skip: "Skip to content",
    home: "Home",
    activity: "Activity",
    pay: "Pay",
    ask: "Get paid",
    sales: "Sales",
    more: "More",
    you: "You",
    notices: "Notices",
    noticesNew: (count: string) => `Notices, ${count} new`,
    main: "Main",
  },
  pt: {
    loading: "Carregando",
    skip: "Ir para o conteúdo",
    home: "Início",
    activity: "Extrato",
    pay: "Pagar",
    ask: "Receber",
    sales: "Vendas",
    more: "Mais",
    you: "Você",
    notices: "Avisos",
    noticesNew: (count: string) => `Avisos, ${count} novos`,
    main: "Principal",
  },
});
