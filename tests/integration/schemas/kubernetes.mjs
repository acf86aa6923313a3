// The official client's classes as a JSON Schema: of each class it tells every field with its type and format, and its
// declaration which of them may be absent. Nothing beside those fields is allowed.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [models, ...kinds] = process.argv.slice(2);

const scalars = {
  string: { type: "string" },
  boolean: { type: "boolean" },
  number: { type: "number" },
  Date: { type: "string", format: "date-time" },
  any: {},
  IntOrString: { type: ["integer", "string"] },
};

const definitions = {};
const todo = [...kinds];

function schemaOf(type, format) {
  const list = /^Array<(.*)>$/.exec(type);
  if (list) return { type: "array", items: schemaOf(list[1], format) };
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  if (map) return { type: "object", additionalProperties: schemaOf(map[1], format) };
  if (format === "int32" || format === "int64") return { type: "integer" };
  if (type in scalars) return scalars[type];
  if (!/^\w+$/.test(type)) throw new Error(`cannot understand the type ${type}`);
  todo.push(type);
  return { $ref: `#/definitions/${type}` };
}

async function define(name) {
  const { attributeTypeMap } = (await import(pathToFileURL(path.join(models, `${name}.js`))))[name];
  const declared = fs.readFileSync(path.join(models, `${name}.d.ts`), "utf8");
  const properties = {};
  const required = [];
  for (const field of attributeTypeMap) {
    properties[field.baseName] = schemaOf(field.type, field.format);
    if (declared.includes(`\n    '${field.name}': `)) required.push(field.baseName);
    else if (!declared.includes(`\n    '${field.name}'?: `)) throw new Error(`cannot find ${name}.${field.name}`);
  }
  return { type: "object", properties, additionalProperties: false, ...(required.length ? { required } : {}) };
}

while (todo.length) {
  const name = todo.pop();
  definitions[name] ??= await define(name);
}
process.stdout.write(JSON.stringify({ definitions }));
