// Shows /openapi.json of this service: each operation with its schemas, an example to edit and send.
"use strict";

const element = (name, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
};

let key = "";
const headers = (more = {}) => (key ? { ...more, authorization: `Bearer ${key}` } : more);

// A value that fits a schema: the first choice of each, the least that is allowed.
const example = (schema, root, name) => {
  if (schema.$ref) return example(schema.$ref.split("/").slice(1).reduce((at, part) => at[part], root), root, name);
  const choices = schema.anyOf || schema.oneOf;
  if (choices) {
    const objects = choices.filter((choice) => choice.$ref);
    return example((objects.length ? objects : choices)[0], root, name);
  }
  if (schema.enum) return schema.enum[0];
  if (schema.type === "object") {
    const known = Object.entries(schema.properties || {});
    return Object.fromEntries(known.filter(([n]) => n !== "id").map(([n, value]) => [n, example(value, root, n)]));
  }
  if (schema.prefixItems) return schema.prefixItems.map((item) => example(item, root));
  if (schema.type === "array") return schema.items ? [example(schema.items, root)] : [];
  if (schema.type === "boolean") return false;
  if (schema.type === "number" || schema.type === "integer") return schema.default ?? Math.max(schema.minimum ?? 1, 1);
  return schema.type === "string" ? "" : null;
};

const details = (title, value) =>
  element("details", {}, element("summary", { textContent: title }),
    element("pre", { textContent: JSON.stringify(value, null, 2), tabIndex: 0 }));

const trial = (path, method, body) => {
  const answer = element("pre", { hidden: true, tabIndex: 0 });
  answer.setAttribute("aria-live", "polite");
  const input = body === undefined ? null : element("textarea", { value: body, spellcheck: false });
  const form = element("form", {}, ...(input ? [element("label", {}, "Body ", input)] : []), element("button", { textContent: "Send" }));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const options = input ? { method: "POST", body: input.value, headers: headers({ "content-type": "application/json" }) } : { headers: headers() };
    const started = performance.now();
    try {
      const response = await fetch(path.slice(1) || "./", options);
      const text = await response.text();
      let shown = text;
      try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* not JSON: shown as it is */ }
      answer.textContent = `${response.status} in ${Math.round(performance.now() - started)} ms\n${shown.slice(0, 20000)}`;
    } catch (error) {
      answer.textContent = `no answer: ${error.message}`;
    }
    answer.hidden = false;
  });
  return element("div", {}, form, answer);
};

const show = (root) => {
  document.title = `API: ${root.info.title}`;
  about.textContent = `${root.info.title}, version ${root.info.version}. ${root.info.description}`;
  const list = element("ul");
  for (const [path, methods] of Object.entries(root.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const parameters = operation.parameters || [];
      const real = parameters.reduce((at, one) => at.replace(`{${one.name}}`, one.schema.enum[0]), path);
      const schema = operation.requestBody?.content["application/json"].schema;
      const body = schema && !path.startsWith("/v2") ? JSON.stringify(example(schema, root), null, 2) : schema && "";
      const section = element("section", { id: operation.operationId },
        element("h2", {}, element("code", { textContent: `${method.toUpperCase()} ${path}` })),
        element("p", { textContent: `${operation.summary}. ${operation.description || ""}` }),
        trial(real, method, body),
        ...(schema ? [details("Schema of the body", schema)] : []),
        details("Answers", operation.responses));
      list.append(element("li", {}, element("a", { href: `#${operation.operationId}`, textContent: `${method.toUpperCase()} ${path}` })));
      operations.append(section);
    }
  }
  contents.append(list);
  operations.append(details("All schemas", root.components.schemas));
};

const load = async () => {
  const response = await fetch("openapi.json", { headers: headers() });
  if (response.status === 401) {
    about.textContent = "This service wants an API key.";
    document.getElementById("key-form").hidden = false;
    return;
  }
  document.getElementById("key-form").hidden = true;
  show(await response.json());
};

const [about, contents, operations] = ["about", "contents", "operations"].map((id) => document.getElementById(id));
document.getElementById("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  key = document.getElementById("key").value;
  load();
});
load().catch((error) => { about.textContent = `The description can't be loaded: ${error.message}`; });
