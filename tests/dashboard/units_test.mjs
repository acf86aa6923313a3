// What the page reckons, without a browser: courses, places, and what is made visible.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { root } from "./stack.mjs";

const require = createRequire(join(root, "dashboard/package.json"));
const folder = mkdtempSync(join(tmpdir(), "belfry-units-"));
let reckon, layout, text;
before(async () => {
  await require("esbuild").build({
    entryPoints: ["reckon.ts", "layout.ts", "text.tsx"].map((name) => join(root, "dashboard/src", name)), bundle: true, format: "esm", outdir: folder, outExtension: { ".js": ".mjs" },
    jsx: "automatic", jsxImportSource: "preact", logLevel: "error",
  });
  [reckon, layout, text] = await Promise.all(["reckon", "layout", "text"].map((name) => import(join(folder, `${name}.mjs`))));
});
after(() => rmSync(folder, { recursive: true }));

// Times in ms from the begin; an edge is [on, since when it held].
function service(name, starting, ready, edges = [], type = "daemon") {
  const ns = (ms) => (ms === null ? null : (1000 + ms) * 1e6);
  return {
    name, type, attempts: 1, wanted_monotonic_ns: ns(0), waiting_monotonic_ns: ns(0), starting_monotonic_ns: ns(starting), started_monotonic_ns: ns(starting),
    ready_monotonic_ns: type === "oneshot" ? null : ns(ready), stopped_monotonic_ns: type === "oneshot" ? ns(ready) : null,
    edges: edges.map(([on, holds]) => ({ on, condition: "ready", required: true, holds_since_monotonic_ns: ns(holds) })),
  };
}
const course = (...services) => reckon.courseOf({ stack: "shop", now_monotonic_ns: 9000e6, begun_monotonic_ns: 1000e6, up_monotonic_ns: null, services });

describe("A course", () => {
  const shop = () => course(service("db", 0, 100), service("cache", 0, 30), service("migrate", 100, 300, [["db", 100]], "oneshot"), service("api", 300, 350, [["migrate", 300], ["cache", 30]]));

  it("goes by whom each has waited for last", () => {
    const { bars, up } = shop();
    assert.equal(up, 350);
    assert.deepEqual(bars.filter((one) => one.critical).map((one) => one.name), ["db", "migrate", "api"]);
  });
  it("gives those time to spare who were waited for by nobody when they were ready", () => {
    const spare = Object.fromEntries(shop().bars.map((one) => [one.name, one.slack]));
    assert.deepEqual(spare, { db: 0, cache: 270, migrate: 0, api: 0 });
  });
  it("would be shorter by what is won on its critical path, until another path is as long", () => {
    assert.equal(reckon.whatIf(shop(), "migrate", 0.5), 250);
    assert.equal(reckon.whatIf(shop(), "cache", 0), 350);
    assert.equal(reckon.whatIf(shop(), "cache", 20), 650);
    const two = course(service("a", 0, 100), service("b", 0, 90), service("c", 100, 110, [["a", 100], ["b", 90]]));
    assert.equal(reckon.whatIf(two, "a", 0), 100);
  });
  it("has no end while somebody is not ready, and then the path leads to him", () => {
    const { bars, up } = course(service("db", 0, 100), service("web", 100, null, [["db", 100]]), service("all", null, null, [["web", null]], "gate"));
    assert.equal(up, null);
    assert.deepEqual(bars.filter((one) => one.critical).map((one) => one.name), ["db", "web"]);
  });
});

describe("A layout", () => {
  const random = (seed) => () => (seed = seed * 16807 % 2147483647) / 2147483647;
  function graph(count, seed) {
    const next = random(seed), names = Array.from({ length: count }, (_, i) => `s${i}`);
    const edges = new Map(names.map((name, i) => [name, i < 3 ? [] : Array.from({ length: Math.floor(next() * 4) }, () => `s${Math.floor(i - 1 - next() * Math.min(i - 1, 40))}`)]));
    return { names, edges, placed: layout.layOut(names, (name) => edges.get(name)) };
  }
  it("places whoever is waited for to the left of who waits, and nobody on another", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { names, edges, placed } = graph(5 + seed * 3, seed);
      for (const name of names) for (const on of edges.get(name)) if (on !== name) assert.ok(placed.nodes.get(on).x < placed.nodes.get(name).x, `${on} ${name}`);
      const all = [...placed.nodes.values()];
      for (const a of all) {
        assert.ok(a.y >= 0 && a.y <= placed.height + 1e-6 && a.x >= 0 && a.x <= placed.width + 1e-6);
        for (const b of all) assert.ok(a === b || Math.abs(a.x - b.x) >= layout.nodeWidth || Math.abs(a.y - b.y) >= layout.nodeHeight - 1e-6);
      }
    }
  });
  it("is there at once also for a thousand", () => {
    graph(1000, 7);
    const begin = performance.now();
    graph(1000, 8);
    assert.ok(performance.now() - begin < 3000);
  });
  it("bears a name that nobody has, one that depends on itself, and nobody at all", () => {
    assert.equal(layout.layOut(["a"], () => ["a", "nobody"]).nodes.size, 1);
    assert.equal(layout.layOut([], () => []).nodes.size, 0);
  });
});

describe("What would be invisible", () => {
  it("is shown: controls, marks of direction, halves of characters", () => {
    assert.equal(text.visible("a\u001b[31mb\u202ec\u200fd\u0000\u007f\u0085\ud800"), "a␛[31mb‹U+202E›c‹U+200F›d␀␡‹U+0085›‹U+D800›");
    assert.equal(text.visible("plain äöü 日本 👍 עברית"), "plain äöü 日本 👍 עברית");
  });
  it("spans are said as a person says them", () => {
    assert.deepEqual([0.5, 12, 3210, 59_900, 61_000, 3_700_000, 90_000_000].map(text.span), ["500 µs", "12 ms", "3.2 s", "59 s", "1 min 1 s", "1 h 1 min", "1 d 1 h"]);
  });
});
