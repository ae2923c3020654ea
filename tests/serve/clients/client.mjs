// Node's fetch: URL FILE... Prints status and answer to each file, asked one after another and then all at once.
import { readFile } from "node:fs/promises";

const [url, ...files] = process.argv.slice(2);
const headers = { "Content-Type": "application/json" };

async function ask(file) {
  const response = await fetch(url, { method: "POST", headers, body: await readFile(file) });
  return `${response.status} ${await response.text()}`;
}

for (const file of files) console.log(await ask(file));
for (const answer of await Promise.all(files.map(ask))) console.log(answer);
