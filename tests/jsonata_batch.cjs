// Reads {"expressions": [text], "values": [{value, bindings}], "definitions": [definition]} on stdin and writes, on
// stdout, the syntax tree of each expression, what each value becomes as Step Functions evaluates it, and what
// asl-validator finds in each definition: one node process for all rows of a test.
const crypto = require("node:crypto");
const jsonata = require("jsonata");

// What Step Functions adds to JSONata (Developer Guide, "JSONata functions provided by Step Functions").
const ALGORITHMS = { MD5: "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512" };
const ADDED = {
  hash: (text, algorithm) => crypto.createHash(ALGORITHMS[algorithm]).update(text).digest("hex"),
  parse: (text) => JSON.parse(text),
  uuid: () => crypto.randomUUID(),
};

const written = (error) => ({ error: `${error.code ?? ""} ${error.message}`.trim() });

function tree(text) {
  try {
    return { tree: jsonata(text).ast() };
  } catch (error) {
    return written(error);
  }
}

// Every text of the form {% … %}, at any depth; what is undefined is an error, as it is in Step Functions.
async function evaluated(value, bindings) {
  if (typeof value === "string" && value.startsWith("{%")) {
    const found = await jsonata(value.slice(2, -2)).evaluate(undefined, { ...ADDED, ...bindings });
    if (found === undefined || typeof found === "function") throw new Error(`nothing: ${value}`);
    return found;
  }
  if (Array.isArray(value)) return Promise.all(value.map((each) => evaluated(each, bindings)));
  if (value === null || typeof value !== "object") return value;
  const members = await Promise.all(Object.entries(value).map(async ([k, v]) => [k, await evaluated(v, bindings)]));
  return Object.fromEntries(members);
}

async function outcome({ value, bindings }) {
  try {
    return { value: await evaluated(value, bindings) };
  } catch (error) {
    return written(error);
  }
}

function findings(definition) {
  return require("asl-validator")(definition).errors.map((each) => JSON.stringify(each));
}

async function main() {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const { expressions = [], values = [], definitions = [] } = JSON.parse(Buffer.concat(chunks).toString("utf8"));
  const trees = expressions.map(tree);
  const outcomes = [];
  for (const each of values) outcomes.push(await outcome(each));
  process.stdout.write(JSON.stringify({ trees, outcomes, findings: definitions.map(findings) }));
}

main();
