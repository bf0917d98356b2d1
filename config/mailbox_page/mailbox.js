// The mailbox's page: asks for what is new, shows what is chosen. What is in a mail is only ever put in as text, or shown
// in a frame of its own that can do nothing.
"use strict";

const EVERY_MS = 1500;
const place = (id) => document.getElementById(id);
const list = place("mails");
let last = 0;
let chosen = 0;

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function row(mail) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  const at = element("time", new Date(mail.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  at.dateTime = mail.at;
  button.type = "button";
  button.dataset.number = mail.number;
  button.append(element("strong", mail.subject || "(no subject)"), at, element("span", mail.to));
  button.addEventListener("click", () => open(mail.number));
  item.className = "new";
  item.append(button);
  return item;
}

async function refresh() {
  if (document.hidden && last) return;
  try {
    const answer = await fetch(`mails?after=${last}`);
    const mails = await answer.json();
    list.prepend(...mails.map(row));
    while (list.children.length > 200) list.lastChild.remove();
    if (mails.length) last = mails[0].number;
    const count = list.children.length;
    place("empty").hidden = count > 0;
    place("state").textContent = count ? `${count} mail${count > 1 ? "s" : ""}` : "Nothing yet";
  } catch {
    place("state").textContent = "Payhub is not running";
  }
}

async function open(number) {
  const answer = await fetch(`mails/${number}`);
  if (!answer.ok) return;
  const mail = await answer.json();
  chosen = number;
  for (const button of list.querySelectorAll("button")) {
    const is_it = Number(button.dataset.number) === number;
    button.setAttribute("aria-current", String(is_it));
    if (is_it) button.parentElement.className = "";
  }
  place("subject").textContent = mail.subject || "(no subject)";
  place("people").textContent = `${mail.from} → ${mail.to} · ${new Date(mail.at).toLocaleString()}`;
  place("text").textContent = mail.text;
  place("headers").textContent = `Return path: ${mail.envelope.from}\nRecipient: ${mail.envelope.to.join(", ")}\n\n${mail.headers}`;
  place("html").src = mail.has_html ? `mails/${number}/html` : "about:blank";
  place("mail").hidden = false;
  document.body.classList.add("reading");
  show(mail.has_html ? "html" : "text");
  location.hash = number;
}

function show(part) {
  for (const tab of document.querySelectorAll("nav button")) {
    const is_it = tab.dataset.part === part;
    tab.setAttribute("aria-selected", String(is_it));
    place(tab.dataset.part).hidden = !is_it;
  }
}

function close() {
  document.body.classList.remove("reading");
  history.replaceState(null, "", location.pathname);
  list.querySelector(`[data-number="${chosen}"]`)?.focus();
}

for (const tab of document.querySelectorAll("nav button")) tab.addEventListener("click", () => show(tab.dataset.part));
place("back").addEventListener("click", close);
document.addEventListener("visibilitychange", refresh);
setInterval(refresh, EVERY_MS);
refresh().then(() => { if (Number(location.hash.slice(1))) open(Number(location.hash.slice(1))); });
