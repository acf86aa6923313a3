// The dashboard in Debian's Chromium, on real stacks.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { findings, freePort, go, launch, live, look, patience, says, sentence, Stack } from "./stack.mjs";

let browser, stack, page;
before(async () => { browser = await launch(); });
after(() => browser.close());
afterEach(async () => {
  const complaints = page?.complaints ?? [];
  await page?.context().close();
  page = undefined;
  await stack?.end();
  stack = undefined;
  assert.deepEqual(complaints, [], "the browser had nothing to complain of");
});

async function shown(services, { top = "", name = "shop", ...more } = {}) {
  stack = await new Stack(services, top, name).start();
  page = await look(browser, await stack.dashboard(), more);
  await live(page);
}

const shop = `
  db: {command: [sh, -c, "echo serving; exec sleep 1000"], ready: {log: serving}}
  cache: {command: sleep 1000}
  migrate: {type: oneshot, command: "true", depends_on: [db]}
  api: {command: sleep 1000, depends_on: {migrate: completed, cache: {condition: ready, on_loss: restart}}}
  web: {command: sleep 1000, depends_on: [api], labels: {tier: front}}
  all: {type: gate, depends_on: [web, cache]}`;

// Opened by the test, by a line in a FIFO.
const held = (name) => `[sh, -c, "mkfifo $DIR/${name}; read line <$DIR/${name}; echo serving; exec sleep 1000"]`;
const release = (name) => writeFileSync(join(stack.path, name), "go\n");

describe("The first sentence", () => {
  it("says what the stack waits for, and that all is well when it is", async () => {
    await shown(`
  db: {command: ${held("db")}, ready: {log: serving}}
  api: {command: sleep 1000, depends_on: [db]}`);
    await says(page, "db");
    assert.match(await sentence(page).textContent(), /shop (is not ready|waits)/);
    assert.equal(await page.locator("#sentence.tone-bad").count(), 0, "nothing is red while it is merely starting");
    release("db");
    await says(page, "All is well: 2 services of shop are ready");
  });

  // The ways of the catalogue of `belfry why`: who is to blame stands in the sentence, and is a link.
  const broken = {
    "exits at once": [`bad: {command: [sh, -c, "echo no config; exit 3"], ready: {log: serving}, restart: {delay: 5s}}`, "exited with code 3"],
    "has a command that is not there": [`bad: {command: [./not-there], restart: no}`, "not-there"],
    "never listens": [`bad: {command: sleep 1000, ready: {port: PORT}}`, "nobody listens on port"],
    "is not answered by its probe": [`bad: {command: sleep 1000, ready: {tcp: "127.0.0.1:PORT"}}`, "refused"],
    "never says that it is ready": [`bad: {command: sleep 1000, ready: notify}`, "READY"],
    "is not ready in time": [`bad: {command: sleep 1000, ready: {file: $DIR/never, timeout: 300ms}, restart: no}`, ""],
    "is killed by a signal": [`bad: {command: [sh, -c, "kill -SEGV $$$$"], ready: {log: serving}, restart: no}`, "SEGV"],
    "is an external that is away": [`bad: {type: external, ready: {tcp: "127.0.0.1:PORT"}}`, "refused"],
    "is a oneshot that fails": [`bad: {type: oneshot, command: [sh, -c, "exit 7"]}`, "code 7"],
  };
  for (const [how, [service, words]] of Object.entries(broken)) {
    it(`names who ${how}`, async () => {
      const port = await freePort();
      await shown(`
  ${service.replace("PORT", port)}
  other: {command: sleep 1000}
  api: {command: sleep 1000, depends_on: [bad]}`);
      await page.locator("#sentence .path a", { hasText: "bad" }).first().waitFor();
      await says(page, words);
      const why = await stack.get("/v1/why");
      assert.equal(why.culprit, "bad");
      await go(page, "#/services");
      assert.match(await page.locator(".services .row", { hasText: "api" }).innerText(), /waiting|blocked/);
    });
  }
});

describe("The views", () => {
  it("show every service in the list, with its state as a shape and a word", async () => {
    await shown(shop);
    await says(page, "All is well");
    await go(page, "#/services");
    const rows = page.locator(".services .row:not(.header)");
    await rows.nth(5).waitFor();
    assert.equal(await rows.count(), 6);
    assert.match(await rows.nth(2).innerText(), /completed\s+migrate/);
    assert.equal(await rows.nth(0).locator("svg").count(), 1);
    await page.locator(".filter").fill("mig");
    await page.waitForFunction(() => document.querySelectorAll(".services .row:not(.header)").length === 1);
  });

  it("explain a service: what rang its bells, its runs, who waits for whom", async () => {
    await shown(shop);
    await says(page, "All is well");
    await go(page, "#/service?s=db");
    await page.locator(".story .evidence", { hasText: "serving" }).waitFor();
    await page.locator(".block a", { hasText: "migrate" }).first().waitFor();
    await page.locator(".log .row", { hasText: "serving" }).waitFor();
  });

  it("show logs that the daemon has filtered, and what is wrong with an expression", async () => {
    await shown(`
  talker: {command: [sh, -c, "for i in 1 2 3 4 5; do echo apple $$i; echo pear $$i >&2; done; exec sleep 1000"]}`);
    await go(page, "#/logs");
    await page.locator(".log .row", { hasText: "pear 5" }).waitFor();
    const asked = page.waitForRequest((request) => request.url().includes("grep=apple"));
    await page.locator(".filter").fill("apple");
    await asked;
    await page.waitForFunction(() => { const rows = [...document.querySelectorAll(".log .row")]; return rows.length === 5 && rows.every((row) => row.textContent.includes("apple")); });
    await page.locator(".filter").fill("app(");
    await page.locator(".refusal").waitFor();
    assert.match(await page.locator(".refusal").innerText(), /cannot/);
  });

  it("draw the start with its critical path, and the stop", async () => {
    await shown(shop);
    await says(page, "All is well");
    await go(page, "#/course");
    await page.locator(".bars .row", { hasText: "web" }).waitFor();
    assert.ok(await page.locator(".bars .works.critical").count() > 0);
    await page.locator(".bars .row", { hasText: "db" }).click();
    await page.locator(".what-if", { hasText: "everything would be ready after" }).waitFor();
  });
});

describe("Time", () => {
  it("goes back to a moment in every view, by a link as well", async () => {
    await shown(`
  db: {command: ${held("db")}, ready: {log: serving}}
  api: {command: sleep 1000, depends_on: [db]}`);
    await page.locator("#sentence .path a", { hasText: "db" }).waitFor();
    release("db");
    await says(page, "All is well");
    const { events, run } = await stack.get("/v1/events");
    const began = events.find((one) => one.service === "db" && one.state === "starting").monotonic_ns / 1e6;
    await go(page, `#/services?t=${Math.ceil(began + 50)}&run=${run}`);
    await says(page, "waits for db, which is starting");
    await page.locator(".services .row", { hasText: "api" }).filter({ hasText: "waiting" }).waitFor();
    await page.keyboard.press("n");
    await says(page, "All is well");
    await page.locator(".services .row", { hasText: "api" }).filter({ hasText: "ready" }).waitFor();
  });

  it("plays the start again, from the keyboard", async () => {
    await shown(shop);
    await says(page, "All is well");
    await page.keyboard.press(" ");
    await page.locator(".moment", { hasText: "start +" }).waitFor();
    await page.keyboard.press("n");
    await page.locator(".moment", { hasText: "now" }).waitFor();
  });
});

describe("Commands", () => {
  it("ask first, and name who is affected", async () => {
    await shown(shop);
    await says(page, "All is well");
    await go(page, "#/service?s=cache");
    await page.locator(".actions button", { hasText: "Stop…" }).click();
    const dialog = page.locator("dialog[open]");
    await dialog.waitFor();
    assert.deepEqual((await dialog.locator(".affected li").allInnerTexts()).sort(), ["all", "api", "web"]);
    await page.keyboard.press("Escape");
    assert.equal((await stack.get("/v1/services/cache")).state, "ready", "nobody was stopped");
    await page.locator(".actions button", { hasText: "Stop…" }).click();
    await dialog.locator(".danger").click();
    await page.locator(".notes", { hasText: "stop of cache: done" }).waitFor();
    assert.equal((await stack.get("/v1/services/cache")).state, "inactive");
  });

  it("are not there for whoever may only read, and are with the token", async () => {
    const port = await freePort();
    stack = new Stack(shop, `http: {listen: "127.0.0.1:${port}"}`);
    writeFileSync(join(stack.path, "token"), "0123456789abcdef0123\n", { mode: 0o600 });
    stack.write(shop, `http: {listen: "127.0.0.1:${port}"}`);
    const text = `control: {socket: ${stack.control}, token_file: ${stack.path}/token}`;
    const { readFileSync } = await import("node:fs");
    writeFileSync(stack.file, readFileSync(stack.file, "utf8").replace(`control: {socket: ${stack.control}}`, text));
    await stack.start();
    page = await look(browser, `http://localhost:${port}/#/service?s=db`);
    await live(page);
    await page.locator("button", { hasText: "the token" }).click();
    await page.locator("dialog input").fill("wrong-wrong-wrong-wrong");
    await page.locator("dialog button[type=submit]").click();
    await page.locator("dialog .refusal").waitFor();
    await page.locator("dialog input").fill("0123456789abcdef0123");
    await page.locator("dialog button[type=submit]").click();
    await page.locator(".actions button", { hasText: "Restart…" }).waitFor();
  });
});

describe("A daemon that goes", () => {
  it("is missed, and found again when it is back", async () => {
    await shown(shop);
    await says(page, "All is well");
    await stack.stop();
    await page.locator(".trouble", { hasText: "belfry does not answer" }).waitFor();
    await stack.start();
    await page.locator(".trouble", { hasText: "new run" }).waitFor();
    await says(page, "All is well");
  });

  it("is watched while it goes down", async () => {
    await shown(`
  db: {command: [sh, -c, "trap 'read line <$DIR/end; exit 0' TERM; mkfifo $DIR/end; echo serving; while :; do sleep 1000 & wait; done"], ready: {log: serving}, stop: {timeout: 60s}}
  api: {command: sleep 1000, depends_on: [db]}`, { top: "shutdown: {timeout: 60s}" });
    await says(page, "All is well");
    stack.daemon.kill("SIGTERM");
    await says(page, "shop is going down: db is stopping");
    await go(page, "#/course?of=stop");
    await page.locator(".bars .row", { hasText: "db" }).waitFor();
    release("end");
    await page.locator(".trouble", { hasText: "belfry does not answer" }).waitFor();
  });
});

describe("The link", () => {
  it("is good once", async () => {
    stack = await new Stack(shop).start();
    const link = await stack.dashboard();
    page = await look(browser, link);
    await live(page);
    assert.ok(!page.url().includes("key="), "the key is not in the address any more");
    await page.reload();
    await live(page);
    const second = await look(browser, link);
    await second.locator(".trouble", { hasText: "belfry dashboard" }).waitFor();
    await second.context().close();
  });

  it("leads to a page that loads nothing from elsewhere and runs nothing but its script", async () => {
    await shown(shop);
    await says(page, "All is well");
    assert.deepEqual([...page.asked], [new URL(page.url()).origin]);
    const ran = await page.evaluate(() => { const script = document.createElement("script"); script.textContent = "window.ran = true"; document.body.append(script); return window.ran === true; });
    assert.equal(ran, false);
    page.complaints = page.complaints.filter((one) => !/Content Security Policy/.test(one));
  });
});

describe("A frozen page", () => {
  it("opens from a file, shows every view, and asks nobody", async () => {
    stack = await new Stack(shop).start();
    const { once } = await import("node:events");
    const waits = stack.run("wait", "--socket", stack.control, "all");
    await once(waits, "exit");
    const [code] = await once(stack.run("report", "--socket", stack.control, "--dashboard", join(stack.path, "moment.html")), "exit");
    assert.equal(code, 0);
    await stack.stop();
    page = await look(browser, `file://${stack.path}/moment.html`);
    await says(page, "All is well");
    for (const [view, words] of [["services", "migrate"], ["service?s=db", "serving"], ["logs", "serving"], ["course", "web"], ["journal", "completed"]]) {
      await go(page, `#/${view}`);
      await page.locator("main .row, main .evidence", { hasText: words }).first().waitFor();
    }
    assert.equal(await page.locator(".actions").count(), 0);
    await page.keyboard.press(",");
    await page.locator("button", { hasText: "To the end" }).waitFor();
    assert.deepEqual([...page.asked], ["null"]);
  });
});

describe("A hostile service", () => {
  it("is text, whatever it says and is called", async () => {
    const name = "x".repeat(128);
    const hostile = `<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>\\u202egnp.exe\\u001b[31mred\\u001b]0;title\\u0007</script>`;
    await shown(`
  ${name}: {command: [printf, "%b\\n", ${JSON.stringify(hostile).replaceAll("\\\\u", "\\u")}], type: oneshot}
  loud: {command: [sh, -c, "yes '<b>flood</b> of a loud service' | head -n 300000; exec sleep 1000"]}`, { width: 360, height: 720 });
    for (const view of ["services", "logs", `service?s=${name}`, "journal", "course", `graph?s=${name}`]) {
      await go(page, `#/${view}`);
      await page.locator("main section, main .graph").waitFor();
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `nothing sticks out of ${view.slice(0, 8)}`);
    }
    await go(page, `#/logs?s=${name}`);
    await page.locator(".log .sign", { hasText: "‹U+202E›" }).waitFor();
    await page.locator(".log .sign", { hasText: "␛" }).first().waitFor();
    assert.equal(await page.evaluate(() => window.pwned), undefined);
    assert.equal(await page.locator("main img, main script, main b").count(), 0);
    await go(page, "#/logs");
    await page.locator(".log .row", { hasText: "<b>flood</b>" }).first().waitFor();
    const lines = Number((await page.locator(".logs [role=status]").innerText()).match(/\d+/)[0]);
    assert.ok(lines <= 12_500, `${lines} lines are kept`);
  });
});

describe("For everybody", () => {
  const views = ["graph", "graph?s=api", "services", "services?s=api", "service?s=db", "logs", "course?s=db", "course?of=stop", "journal"];
  for (const dark of [false, true]) {
    it(`axe-core finds nothing in any view, ${dark ? "dark" : "light"}`, async () => {
      await shown(shop + `\n  bad: {command: [sh, -c, "echo oh >&2; exit 3"], restart: {delay: 20s}}`, { dark });
      await page.locator("#sentence .path a", { hasText: "bad" }).waitFor();
      for (const view of views) {
        await go(page, `#/${view}`);
        await page.locator("main section, main .graph").waitFor();
        await page.waitForTimeout(150);  // until it is drawn: axe looks at colours
        assert.deepEqual(await findings(page), [], view);
      }
      await page.keyboard.press(":");
      await page.locator("dialog[open]").waitFor();
      assert.deepEqual(await findings(page), [], "palette");
      await page.keyboard.press("Escape");
      await page.keyboard.press("?");
      assert.deepEqual(await findings(page), [], "help");
      await page.keyboard.press("Escape");
      await go(page, "#/service?s=db");
      await page.locator(".actions button", { hasText: "Restart…" }).click();
      assert.deepEqual(await findings(page), [], "confirmation");
    });
  }

  it("the keyboard is enough", async () => {
    await shown(shop);
    await says(page, "All is well");
    await page.keyboard.press(":");
    await page.keyboard.type("service api");
    await page.keyboard.press("Enter");
    await page.locator(".page-head h2", { hasText: "api" }).waitFor();
    await page.keyboard.press("1");
    await page.locator(".graph-walk").focus();
    for (const key of ["ArrowRight", "ArrowRight"]) await page.keyboard.press(key);
    await page.locator("#graph-chosen[aria-label*=', ready for']").or(page.locator("#graph-chosen[aria-label*=', completed for']")).waitFor({ state: "attached" });
    await page.keyboard.press("Enter");
    await page.locator(".page-head h2").waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".graph-walk").waitFor();
    await page.keyboard.press("2");
    await page.locator(".rows").focus();
    await page.keyboard.press("End");
    await page.locator(".row.chosen", { hasText: "all" }).waitFor();
    await page.keyboard.press("Enter");
    await page.locator(".page-head h2", { hasText: "all" }).waitFor();
    await page.keyboard.press("/");
    await page.waitForFunction(() => document.activeElement?.classList.contains("filter"));
  });

  for (const [width, height] of [[360, 640], [768, 1024], [3840, 2160]]) {
    it(`nothing sticks out at ${width} × ${height}`, async () => {
      await shown(shop, { width, height });
      for (const view of views) {
        await go(page, `#/${view}`);
        await page.locator("main section, main .graph").waitFor();
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(wide <= width, `${view}: ${wide}`);
      }
    });
  }
});

describe("A thousand services", () => {
  it("are laid out and walked through while ten thousand lines a second come", async () => {
    const services = ["  loud: {command: [sh, -c, \"while :; do yes 'a line of a loud service' | head -n 1000; sleep 0.1; done\"]}"];
    for (let i = 0; i < 999; i++) {
      const on = i < 20 ? "" : `, depends_on: [s${i - 1 - (i * 7) % 19}, s${i - 1 - (i * 3) % 13}]`.replace(/\[(s\d+), \1\]/, "[$1]");
      services.push(`  s${i}: {type: gate${on}}`);
    }
    await shown(services.join("\n"));
    await says(page, "All is well: 1000 services");
    await go(page, "#/logs");
    await page.locator(".log .row", { hasText: "loud service" }).first().waitFor();
    const frames = await page.evaluate(() => new Promise((resolve) => {
      let count = 0, longest = 0, last = performance.now();
      const begin = last;
      const frame = (time) => {
        longest = Math.max(longest, time - last);
        last = time;
        count++;
        if (time - begin < 3000) requestAnimationFrame(frame); else resolve({ perSecond: count / (time - begin) * 1000, longest });
      };
      requestAnimationFrame(frame);
    }));
    console.log(`    logs: ${frames.perSecond.toFixed(0)} frames a second, the longest ${frames.longest.toFixed(0)} ms`);
    assert.ok(frames.longest < 1000, `it stood still for ${frames.longest} ms`);
    await go(page, "#/graph");
    await page.locator(".graph-walk").focus();
    for (let i = 0; i < 10; i++) await page.keyboard.press("ArrowRight");
    await page.locator("#graph-chosen[aria-label^='s']").waitFor({ state: "attached" });
  });
}, { timeout: 3 * patience });

// BELFRY_LONG=MINUTES: what page and belfry take must not grow with the lines that have come.
describe("An hour of it, in short", { skip: !process.env.BELFRY_LONG && "only with BELFRY_LONG=MINUTES" }, () => {
  it("the memory of the page and of belfry stays", async () => {
    const minutes = Number(process.env.BELFRY_LONG);
    await shown(`
  loud: {command: [sh, -c, "while :; do yes 'a line of a loud service' | head -n 1000; sleep 0.1; done"]}
  weak: {command: [sh, -c, "sleep 0.2; exit 1"], restart: {max_delay: 1s}}`);
    await go(page, "#/logs");
    await page.locator(".log .row", { hasText: "loud service" }).first().waitFor();
    const session = await page.context().newCDPSession(page);
    await session.send("Performance.enable");
    const { readFileSync } = await import("node:fs");
    const measure = async () => {
      await session.send("HeapProfiler.collectGarbage");
      const { metrics } = await session.send("Performance.getMetrics");
      const rss = Number(readFileSync(`/proc/${stack.daemon.pid}/status`, "utf8").match(/VmRSS:\s+(\d+)/)[1]) / 1024;
      return { page: metrics.find((one) => one.name === "JSHeapUsedSize").value / 1048576, nodes: metrics.find((one) => one.name === "Nodes").value, belfry: rss };
    };
    const tell = (when, { page: heap, nodes, belfry: rss }) => console.log(`    ${when}: page ${heap.toFixed(1)} MiB, ${nodes} nodes; belfry ${rss.toFixed(1)} MiB`);
    await page.waitForTimeout(minutes * 12_000);  // until everything that is bounded is full
    const early = await measure();
    tell(`after ${(minutes / 5).toFixed(1)} min`, early);
    await page.waitForTimeout(minutes * 48_000);
    const late = await measure();
    tell(`after ${minutes} min`, late);
    assert.ok(late.page < early.page * 1.3 + 4, "the page");
    assert.ok(late.belfry < early.belfry * 1.2 + 2, "belfry");
  });
});
