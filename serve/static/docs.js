// Shows /openapi.json of this service: each operation with an example to edit and send, and the types of its bodies.
"use strict";

const MAX_SHOWN_CHARACTERS = 200_000;

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

let key = "";
const ask = (path, options = {}) =>
  fetch(path.slice(1) || "./", key ? { ...options, headers: { ...options.headers, authorization: `Bearer ${key}` } } : options);

// Indented JSON; a list of numbers or texts stays on one line.
const pretty = (value) =>
  JSON.stringify(value, null, 2).replace(/\[\n\s*([^[\]{}]*?)\n\s*\]/g, (_, items) => `[${items.replace(/\n\s*/g, " ")}]`);

// Text with `code` in backticks, as elements.
const prose = (text) => text.split("`").map((part, at) => (at % 2 ? element("code", { textContent: part }) : part));

// The type that a schema describes, in words.
const kind = (schema) => {
  if (schema.$ref) return schema.$ref.split("/").pop();
  const choices = schema.anyOf || schema.oneOf;
  if (choices) return [...new Set(choices.map(kind))].join(" or ");
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(", ");
  if (schema.prefixItems) return `list of ${schema.prefixItems.length} values`;
  if (schema.type === "array") return schema.items ? `list of ${schema.items.anyOf ? `(${kind(schema.items)})` : kind(schema.items)}` : "list";
  if (!schema.type) return "anything";
  const name = schema.multipleOf === 1 || schema.type === "integer" ? "whole number" : [schema.type].flat().join(" or ");
  const known = (bound) => bound !== undefined && Math.abs(bound) < 1e100;
  return name + (known(schema.minimum) ? ` from ${schema.minimum}` : "") + (known(schema.maximum) ? ` to ${schema.maximum}` : "");
};

// The names of the types that a schema refers to, directly or indirectly.
const typesIn = (schema, types, found = new Set()) => {
  for (const [name, value] of Object.entries(schema)) {
    const type = name === "$ref" && kind(schema);
    if (type && !found.has(type)) typesIn(types[type], types, found.add(type));
    else if (value && typeof value === "object") typesIn(value, types, found);
  }
  return found;
};

const describe = (name, type) => {
  const needed = type.required || [];
  const rows = Object.entries(type.properties || {}).map(([member, schema]) => element("tr", {},
    element("th", { scope: "row" }, element("code", { textContent: member })),
    element("td", { textContent: kind(schema) + (needed.includes(member) ? "" : ", may be left out") }),
    element("td", {}, ...prose(schema.description || ""))));
  return element("table", {},
    element("caption", {}, element("b", { textContent: name }), ...prose(type.description || "")), element("tbody", {}, ...rows));
};

const details = (title, ...children) => element("details", {}, element("summary", { textContent: title }), ...children);

const typesOf = (title, schema, types) =>
  details(`${title}: ${kind(schema)}`, ...[...typesIn(schema, types)].map((name) => describe(name, types[name])));

const quote = (text) => `'${text.replaceAll("'", "'\\''")}'`;

// The field of a parameter of a path or query.
const parameterField = ({ required = false, schema }) => {
  const words = schema.type === "boolean" ? ["true", "false"] : schema.enum;
  const field = words
    ? element("select", {}, ...["", ...words].map((word) => new Option(word)))
    : element("input", { placeholder: schema.examples?.[0] ?? schema.default ?? "", autocomplete: "off", spellcheck: false });
  return Object.assign(field, { required });
};

// The address of a request with the values of its parameters; an empty one of the query is left out.
const addressOf = (path, parameters, fields) => {
  const query = new URLSearchParams();
  parameters.forEach((one, at) => {
    const { value } = fields[at];
    if (one.in === "path") path = path.replace(`{${one.name}}`, encodeURIComponent(value || one.schema.examples[0]));
    else if (value) query.append(one.name, value);
  });
  return `${path}${[...query].length ? `?${query}` : ""}`;
};

// A form that sends a request and shows the response, and the same request as a curl command.
const trial = (name, path, parameters, bodies, needsKey) => {
  const types = Object.keys(bodies);
  const field = element("textarea", { spellcheck: false, ariaLabel: `Body of ${name}` });
  const choice = element("select", { ariaLabel: `Type of the body of ${name}` }, ...types.map((type) => new Option(type)));
  const curl = element("pre", { className: "curl", tabIndex: 0 });
  const fields = parameters.map(parameterField);
  const address = () => addressOf(path, parameters, fields);
  const write = () => {
    const parts = [`curl ${quote(new URL(address().slice(1), document.baseURI).href)}`];
    if (needsKey) parts.push("-H 'Authorization: Bearer KEY'");
    if (types.length) parts.push(`-H 'Content-Type: ${choice.value}'`, `--data-binary ${quote(field.value)}`);
    curl.textContent = parts.join(" \\\n  ");
  };
  const fill = () => {
    const body = bodies[choice.value];
    field.value = typeof body === "string" ? body : pretty(body);
    field.rows = Math.min(field.value.split("\n").length + 1, 24);
    write();
  };
  for (const one of [field, ...fields]) one.addEventListener("input", write);
  choice.addEventListener("change", fill);
  (types.length ? fill : write)();

  const status = element("p", { className: "answered" });
  status.setAttribute("role", "status");
  const output = element("pre", { hidden: true, tabIndex: 0, ariaLabel: `Response of ${name}` });
  output.setAttribute("role", "region");
  const send = element("button", { textContent: "Send", ariaLabel: `Send ${name}` });
  const labels = fields.map((one, at) => element("label", {},
    element("code", { textContent: parameters[at].name }), ` ${kind(parameters[at].schema)}`, one));
  const form = element("form", {}, element("div", { className: "parameters" }, ...labels), ...(types.length > 1 ? [choice] : []), ...(types.length ? [field] : []), send);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const options = types.length ? { method: "POST", body: field.value, headers: { "content-type": choice.value } } : {};
    const started = performance.now();
    status.classList.remove("fault");
    output.hidden = true;
    status.textContent = "Sent, no response yet.";
    try {
      const response = await ask(address(), options);
      let text = await response.text();
      if (/json/.test(response.headers.get("content-type"))) text = pretty(JSON.parse(text));
      const milliseconds = Math.round(performance.now() - started);
      status.textContent = `${response.status} ${response.statusText} in ${milliseconds} ms, request ${response.headers.get("x-request-id")}`;
      status.classList.toggle("fault", !response.ok);
      output.textContent = text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}\n… and more` : text;
      output.hidden = false;
    } catch (error) {
      status.textContent = `No response: ${error.message}`;
      status.classList.add("fault");
    }
  });
  return [form, status, output, details("As a command", curl)];
};

const show = (root) => {
  const types = root.components.schemas;
  document.title = `API: ${root.info.title}`;
  about.textContent = `${root.info.title}, version ${root.info.version}. ${root.info.description}`;
  const list = element("ul");
  for (const [path, methods] of Object.entries(root.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const name = `${method.toUpperCase()} ${path}`;
      // Name and version of the model have one value.
      const isKnown = (one) => one.in === "path" && one.schema.enum;
      const parameters = (operation.parameters || []).filter((one) => !isKnown(one));
      const real = (operation.parameters || []).filter(isKnown).reduce((at, one) => at.replace(`{${one.name}}`, one.schema.enum[0]), path);
      const taken = Object.entries(operation.requestBody?.content || {}).filter(([, body]) => "example" in body);
      const bodies = Object.fromEntries(taken.map(([type, body]) => [type, body.example]));
      const body = operation.requestBody?.content["application/json"]?.schema;
      // JavaScript sorts statuses: the first one is that of success.
      const response = Object.values(operation.responses)[0].content["application/json"]?.schema;
      const statuses = Object.entries(operation.responses).map(([code, one]) =>
        element("li", {}, element("b", { textContent: `${code} ` }), ...prose(one.description)));
      list.append(element("li", {},
        element("a", { href: `#${operation.operationId}` }, element("code", { textContent: name })),
        element("span", { textContent: operation.summary })));
      operations.append(element("section", { id: operation.operationId },
        element("h2", {}, element("code", { textContent: name })),
        element("p", {}, ...prose(`${operation.summary}. ${operation.description || ""}`)),
        ...trial(name, real, parameters, bodies, "security" in operation),
        ...(body ? [typesOf("Body", body, types)] : []),
        ...(response ? [typesOf("Response", response, types)] : []),
        details("Statuses", element("ul", {}, ...statuses))));
    }
  }
  contents.append(list);
  operations.append(element("section", { id: "errors" },
    element("h2", { textContent: "Errors" }), element("p", { textContent: "The body of every error, whatever its status:" }),
    ...["Problem", "Fault"].map((name) => describe(name, types[name]))));
  document.getElementById(location.hash.slice(1))?.scrollIntoView();
};

const load = async () => {
  const response = await ask("/openapi.json");
  form.hidden = response.status !== 401;
  if (response.status === 401) {
    about.textContent = "";
    problem.textContent = key ? "The service doesn't know this key." : "This service asks for a key.";
    secret.focus();
    return;
  }
  if (!response.ok) throw new Error(`status ${response.status}`);
  const text = await response.text();
  // A link can't send the API key.
  if (key) Object.assign(file, { href: URL.createObjectURL(new Blob([text])), download: "openapi.json" });
  problem.textContent = "";
  const root = JSON.parse(text);
  // Some operations need a key though the description needs none.
  form.hidden = Boolean(key) || !root.components.securitySchemes;
  show(root);
};

const start = () => load().catch((error) => {
  about.textContent = "";
  problem.textContent = `The description of the API can't be loaded: ${error.message}`;
});

const [about, problem, contents, operations, form, secret, file] = ["about", "problem", "contents", "operations", "key-form", "key", "file"]
  .map((id) => document.getElementById(id));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  key = secret.value;
  if (operations.childElementCount) problem.textContent = "The next requests have this key.";
  else start();
});
start();
