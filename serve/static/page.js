// The form of GET /, built from GET /model and sent to POST /score. Data is only ever inserted as text, never as HTML.
"use strict";

const lang = document.documentElement.lang;
const texts = JSON.parse(document.getElementById("texts").textContent);
const [problem, keyForm, form, fieldset, answer] = ["problem", "key", "applicant", "fields", "answer"].map((id) => document.getElementById(id));
let model, key = "";

const getText = (name, values = {}) => texts[name].replace(/\{(\w+)\}/g, (_, place) => values[place]);
const translate = (text) => model.translations?.[lang]?.[text] ?? text;
const number = (value) => new Intl.NumberFormat(lang, { maximumFractionDigits: 6 }).format(value);
const percent = (share) => new Intl.NumberFormat(lang, { style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(share);

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

async function ask(path, body) {
  const headers = { "Content-Type": "application/json" };
  if (key) headers.Authorization = `Bearer ${key}`;
  let response;
  try {
    response = await fetch(path, body ? { method: "POST", headers, body: JSON.stringify(body) } : { headers });
  } catch {
    throw new Error(getText("problem.down"));
  }
  const content = await response.json().catch(() => ({}));
  if (response.ok) return content;
  if (response.status === 401 || response.status === 403) {
    keyForm.hidden = false;
    document.getElementById("secret").focus();
    throw new Error(getText(key ? "problem.wrong_key" : "problem.key"));
  }
  const error = new Error(getText("problem.other", { detail: content.detail ?? response.status }));
  error.faults = content.errors ?? [];
  throw error;
}

// The value of a field for POST /score; null if it is empty.
function read(field) {
  const text = document.getElementById(`field-${field.name}`).value.trim();
  if (text === "") return null;
  return field.kind === "number" ? Number(text) : text;
}

function describe(value, field) {
  if (value === null) return getText("missing");
  return field.kind === "number" ? `${number(value)} ${translate(field.unit)}`.trim() : translate(value);
}

function hint(field) {
  const [low, high] = [field.minimum, field.maximum].map((bound) => (bound === null ? null : number(bound)));
  const bounds = low !== null && high !== null ? getText("hint.range", { low, high }) : low !== null ? getText("hint.from", { low }) : high !== null ? getText("hint.to", { high }) : "";
  return `${bounds} ${getText(field.nullable ? "hint.nullable" : "hint.required")}`.trim();
}

function control(field) {
  const id = `field-${field.name}`;
  const common = { id, "aria-describedby": `${id}-hint ${id}-fault`, ...(field.nullable ? {} : { "aria-required": "true" }) };
  const input = field.kind === "number"
    ? make("input", { ...common, type: "number", step: "any", inputmode: "decimal" })
    : make("select", common, make("option", { value: "" }, getText(field.nullable ? "missing" : "choose")),
      ...field.levels.map((level) => make("option", { value: level }, translate(level))));
  const label = field.unit ? `${translate(field.label)} (${translate(field.unit)})` : translate(field.label);
  return make("div", {}, make("label", { for: id }, label), make("p", { id: `${id}-hint`, class: "hint" }, hint(field)),
    input, make("p", { id: `${id}-fault`, class: "fault" }));
}

function mark(name, detail) {
  document.getElementById(`field-${name}-fault`).textContent = detail;
  document.getElementById(`field-${name}`).setAttribute("aria-invalid", "true");
}

function clear() {
  problem.textContent = "";
  answer.replaceChildren();
  for (const field of model?.fields ?? []) {
    document.getElementById(`field-${field.name}-fault`).textContent = "";
    document.getElementById(`field-${field.name}`).removeAttribute("aria-invalid");
  }
}

function list(tag, title, lines) {
  if (lines.length) answer.append(make("h3", {}, getText(title)), make(tag, {}, ...lines.map((line) => make("li", {}, line))));
}

function warning(remark, applicant, field) {
  const label = translate(field.label), value = applicant[field.name];
  if (value === null) return getText("warning.missing", { label });
  const below = field.minimum !== null && value < field.minimum;
  if (field.kind !== "number" || !(below || value > field.maximum)) return remark.detail;
  const bound = describe(below ? field.minimum : field.maximum, field);
  return getText(below ? "warning.below" : "warning.above", { label, value: describe(value, field), bound });
}

// The service returns a proposed number with its unit.
function proposed(change, field) {
  const value = field.kind === "number" ? Number(change.to.replace(field.unit, "")) : change.to;
  return Number.isNaN(value) ? change.to : describe(value, field);
}

// The limits of this applicant. Of a policy in money they follow from the answer: expected loss = p · loss of a default,
// expected profit = (1 - p) · gain of a good loan - expected loss. Null without an exposure.
function limits(result) {
  const { money, cost_review: review, review_from: low, refuse_from: high } = model.policy;
  const { probability: p, expected_loss: lost, expected_profit: earned } = result;
  if (!money) return { low, high };
  if (lost === null || p <= 0 || p >= 1) return null;
  const loss = lost / p, gain = Math.max((earned + lost) / (1 - p), 0), middle = gain / (loss + gain);
  return review !== null && review < middle * loss ? { low: review / loss, high: 1 - review / gain } : { low: middle, high: middle };
}

function describeLimits(found) {
  if (!found) return getText("policy.unknown");
  const [low, high] = [percent(found.low), percent(found.high)];
  const text = found.low < found.high ? getText("policy.review", { low, high }) : getText("policy", { high });
  return model.policy.money ? getText("policy.own", { text }) : text;
}

function amount(value, fields) {
  const digits = Math.abs(value) < 100 ? 2 : 0;
  const written = new Intl.NumberFormat(lang, { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value).replace("-", "−");
  return `${written} ${translate(fields.get(model.policy.money.exposure.field)?.unit ?? "")}`.trim();
}

function describeMoney(result, fields) {
  if (result.expected_loss === null) return getText("money.unknown");
  return getText("money", { profit: amount(result.expected_profit, fields), loss: amount(result.expected_loss, fields) });
}

// The names of the fields that the condition of a rule reads.
function findFields(condition) {
  if (condition === null || typeof condition !== "object") return [];
  return [...(typeof condition.field === "string" ? [condition.field] : []), ...Object.values(condition).flatMap(findFields)];
}

function describeReason(reason, applicant, fields) {
  const rule = model.policy.rules.find((one) => one.name === reason.rule);
  if (!rule && applicant[reason.field] === null) return getText("reason.missing", { label: translate(fields.get(reason.field).label) });
  const names = rule ? [...new Set(findFields(rule.when))] : [reason.field];
  const values = names.map((name) => getText("value", { label: translate(fields.get(name).label), value: describe(applicant[name], fields.get(name)) }));
  return getText("reason", { text: translate(reason.text), values: values.join(", ") });
}

function show(applicant, result) {
  const fields = new Map(model.fields.map((field) => [field.name, field]));
  const facts = getText("verdict", { probability: percent(result.probability), points: number(result.points) });
  const found = limits(result);
  answer.append(make("p", { class: `verdict ${result.decision}` }, make("strong", {}, getText(`decision.${result.decision}`)), facts),
    make("meter", { "aria-label": facts, min: 0, max: 1, ...found, optimum: 0, value: result.probability }),
    make("p", { class: "hint" }, describeLimits(found)));
  if (model.policy.money) answer.append(make("p", {}, describeMoney(result, fields)));
  list("ul", "warnings", result.warnings.map((remark) => warning(remark, applicant, fields.get(remark.field))));
  const [rules, others] = [true, false].map((is) => result.reasons.filter((reason) => ("rule" in reason) === is));
  list("ol", "rules", rules.map((reason) => describeReason(reason, applicant, fields)));
  list("ol", "reasons", others.map((reason) => describeReason(reason, applicant, fields)));
  list("ul", "changes", (result.what_would_change ?? []).map((change) => {
    const field = fields.get(change.field);
    const text = getText("change", { label: translate(field.label), to: proposed(change, field), value: describe(applicant[field.name], field),
      decision: getText(`decision.${change.decision}`) });
    return typeof change.expected_profit === "number" ? getText("change.profit", { text, profit: amount(change.expected_profit, fields) }) : text;
  }));
}

async function start() {
  clear();
  model = await ask("model");
  keyForm.hidden = true;
  fieldset.replaceChildren(...model.fields.map(control));
  form.hidden = false;
}

async function send() {
  clear();
  const applicant = Object.fromEntries(model.fields.map((field) => [field.name, read(field)]));
  const gaps = model.fields.filter((field) => applicant[field.name] === null && !field.nullable);
  for (const field of gaps) mark(field.name, getText("hint.required"));
  if (gaps.length) throw new Error(getText("problem.gaps"));
  const body = { applicants: [applicant], reasons: 4, what_would_change: true };
  const { results } = await ask("score", body);
  keyForm.hidden = true;
  show(applicant, results[0]);
}

function explain(error) {
  problem.textContent = error.message;
  for (const fault of error.faults ?? []) {
    const name = fault.pointer.split("/")[3]?.replaceAll("~1", "/").replaceAll("~0", "~");
    if (model.fields.some((field) => field.name === name)) mark(name, fault.detail);
  }
  form.querySelector("[aria-invalid]")?.focus();
}

document.querySelector(`nav [lang=${lang}]`).setAttribute("aria-current", "true");
form.addEventListener("submit", (event) => {
  event.preventDefault();
  send().catch(explain);
});
keyForm.addEventListener("submit", (event) => {
  event.preventDefault();
  key = document.getElementById("secret").value;
  (model ? send() : start()).catch(explain);
});
start().catch(explain);
