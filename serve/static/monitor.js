// The page GET /monitor: asks for a key, then shows the fragment of GET /v1/monitor and refreshes it once a minute.
// The service writes the fragment and escapes every name in it; the page's policy forbids inline code all the same.
"use strict";

const STORED = "monitor-key", REFRESH_MS = 60_000, RETRY_MS = 10_000;
const [problem, keyForm, keyInput, controls, forget, shown] =
  ["problem", "key-form", "key", "controls", "forget", "monitor"].map((id) => document.getElementById(id));
let key = "", timer, latest = 0;

// A browser may forbid the storage; the key is then kept until the page is left.
function remember(value) {
  key = value;
  try {
    if (value) sessionStorage.setItem(STORED, value);
    else sessionStorage.removeItem(STORED);
  } catch { /* see above */ }
}

function recall() {
  try {
    return sessionStorage.getItem(STORED) ?? "";
  } catch {
    return "";
  }
}

// An alert is read aloud whenever its text is set.
function tell(text) {
  if (problem.textContent !== text) problem.textContent = text;
}

function askForKey(text) {
  remember("");
  clearTimeout(timer);
  shown.replaceChildren();
  controls.hidden = true;
  keyForm.hidden = false;
  keyInput.value = "";
  keyInput.focus();
  tell(text);
}

// An open table is known by the name of what it shows.
const name = (details) => details.querySelector("[aria-label]")?.getAttribute("aria-label");

function show(html) {
  const open = new Set([...shown.querySelectorAll("details[open]")].map(name));
  const focused = document.activeElement.matches("#monitor summary") ? name(document.activeElement.parentElement) : undefined;
  shown.replaceChildren(...new DOMParser().parseFromString(html, "text/html").body.childNodes);
  for (const details of shown.querySelectorAll("details")) {
    details.open = open.has(name(details));
    if (name(details) === focused) details.querySelector("summary").focus({ preventScroll: true });
  }
  keyForm.hidden = true;
  controls.hidden = false;
  tell("");
}

async function get() {
  const headers = { Accept: "text/html" };
  if (key) headers.Authorization = `Bearer ${key}`;
  try {
    const response = await fetch("v1/monitor", { headers });
    return { status: response.status, text: await response.text() };
  } catch {
    return { status: 0, text: "" };
  }
}

function describe(status, text) {
  if (status === 0) return "The service doesn't answer.";
  if (status === 404) return "This service records no decisions, so there is nothing to monitor. Its setting DECISIONS_URL says where to record them.";
  let detail = "";
  try {
    detail = JSON.parse(text).detail ?? "";
  } catch { /* a proxy's page */ }
  if (status === 503) return `The decisions on record can't be read now: ${detail || "try again in a moment"}.`;
  return `The service can't show this: ${detail || status}.`;
}

async function load() {
  clearTimeout(timer);
  const number = ++latest;
  shown.setAttribute("aria-busy", "true");
  const { status, text } = await get();
  // Answers of earlier requests, with another key, don't count.
  if (number !== latest) return;
  shown.setAttribute("aria-busy", "false");
  if (status === 200) show(text);
  else if (status === 401) return askForKey(key ? "The service doesn't know this key." : "");
  else if (status === 403) return askForKey(key ? "This key may not read decisions: expected one of DECISIONS_KEYS." : "Nobody may read decisions here: the setting DECISIONS_KEYS says whose key may.");
  else tell(shown.hasChildNodes() ? `Not refreshed. ${describe(status, text)}` : describe(status, text));
  if (status !== 404) timer = setTimeout(load, status === 200 ? REFRESH_MS : RETRY_MS);
}

keyForm.addEventListener("submit", (event) => {
  event.preventDefault();
  const given = keyInput.value.trim();
  // fetch() takes no other characters in a header.
  if (!/^[!-~]+$/.test(given)) return askForKey("The service doesn't know this key.");
  remember(given);
  load();
});
forget.addEventListener("click", () => {
  latest++;
  askForKey("");
});
controls.addEventListener("change", () => {
  shown.dataset.period = new FormData(controls).get("period");
});
key = recall();
load();
