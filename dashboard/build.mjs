// The page in one file: everything inline, its policy computed from it, packed without a date in it.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.argv[2] ?? join(here, "dist");
const limit = 150_000;

async function bundle(entry) {
  const { outputFiles } = await build({
    entryPoints: [join(here, "src", entry)], bundle: true, minify: true, write: false, format: "iife", target: "es2022", charset: "utf8", legalComments: "none",
    jsx: "automatic", jsxImportSource: "preact", logLevel: "warning", tsconfig: join(here, "tsconfig.json"),
  });
  return outputFiles[0].text.trim();
}

// An end tag inside of a script would end it.
const script = (await bundle("main.tsx")).replaceAll("</script", "<\\/script");
const style = await bundle("style.css");
const digest = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
const policy = `default-src 'none'; script-src ${digest(script)}; style-src ${digest(style)}; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'`;
const parts = { POLICY: policy, STYLE: style, SCRIPT: script };
const page = readFileSync(join(here, "src/index.html"), "utf8").replace(/@(POLICY|STYLE|SCRIPT)@/g, (_, name) => parts[name]);
const packed = gzipSync(Buffer.from(page), { level: 9 });
packed[9] = 255;  // the system that packed it: nobody's business, and not the same everywhere

if (packed.length > limit) throw new Error(`cannot take a page of ${packed.length} bytes: the limit is ${limit}`);
mkdirSync(out, { recursive: true });
writeFileSync(join(out, "index.html.gz"), packed);
writeFileSync(join(out, "policy.txt"), policy + "; frame-ancestors 'none'\n");
console.log(`${packed.length} bytes (${page.length} before it is packed)`);
