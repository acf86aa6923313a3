// A belfry that runs a file in a folder of its own, and a browser that looks at it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync, readFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { createRequire } from "node:module";

export const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const require = createRequire(join(root, "dashboard/package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

export const belfry = process.env.BELFRY ?? join(root, "build/dev/cli/belfry");
export const sample = process.env.SAMPLE ?? join(root, "build/dev/tests/support/belfry_sample_service");
export const patience = 20_000;

export async function freePort() {
  const server = net.createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

export class Stack {
  constructor(services, top = "", name = "shop") {
    this.path = mkdtempSync(join(tmpdir(), "belfry-dashboard-"));
    chmodSync(this.path, 0o755);
    this.file = join(this.path, "belfry.yaml");
    this.control = join(this.path, "c.sock");
    this.write(services, top, name);
    this.children = [];
  }

  write(services, top = "", name = "shop") {
    const text = `name: ${name}\ncontrol: {socket: ${this.control}}\n${top}\nservices:\n${services}\n`;
    writeFileSync(this.file, text.replaceAll("$SAMPLE", sample).replaceAll("$DIR", this.path));
  }

  environment() {
    const kept = { ...process.env, XDG_STATE_HOME: this.path, XDG_RUNTIME_DIR: this.path };
    delete kept.BELFRY_SOCKET;
    delete kept.NOTIFY_SOCKET;
    return kept;
  }

  run(...words) {
    const child = spawn(belfry, words, { cwd: this.path, env: this.environment(), stdio: ["ignore", "pipe", "pipe"] });
    this.children.push(child);
    return child;
  }

  // Until it answers.
  async start() {
    this.daemon = this.run("run", "-c", this.file);
    this.said = "";
    for (const stream of [this.daemon.stdout, this.daemon.stderr]) stream.on("data", (bytes) => { this.said = (this.said + bytes).slice(-20_000); });
    this.ended = once(this.daemon, "exit");
    const waits = this.run("wait", "--timeout", "15s", `unix://${this.control}`);
    const [code] = await once(waits, "exit");
    if (code !== 0) throw new Error(`belfry does not come up:\n${this.said}`);
    return this;
  }

  async stop(signal = "SIGTERM") {
    if (this.daemon?.exitCode === null && this.daemon.signalCode === null) this.daemon.kill(signal);
    await this.ended;
  }

  // The link that `belfry dashboard` prints.
  async dashboard(...words) {
    this.relay = this.run("dashboard", "--socket", this.control, ...words);
    let said = "";
    this.relay.stderr.on("data", (bytes) => { said += bytes; });
    const none = once(this.relay, "exit").then(([code]) => { throw new Error(`belfry dashboard exits with ${code}: ${said}`); });
    const [line] = await Promise.race([once(createInterface({ input: this.relay.stdout }), "line"), none]);
    none.catch(() => {});  // its end is no news afterwards
    return line;
  }

  get(path) {
    return new Promise((resolve, reject) => {
      http.get({ socketPath: this.control, path, headers: { Accept: "application/json" } }, (answer) => {
        let body = "";
        answer.on("data", (bytes) => { body += bytes; });
        answer.on("end", () => resolve(JSON.parse(body)));
      }).on("error", reject);
    });
  }

  async end() {
    for (const child of this.children) if (child.exitCode === null && child.signalCode === null) { child.kill("SIGTERM"); await once(child, "exit"); }
    rmSync(this.path, { recursive: true, force: true });
  }
}

export const launch = () => chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });

// A page that complains of nothing: what the console says, what is asked of whom, and what was thrown, are kept.
export async function look(browser, link, { width = 1280, height = 800, dark = false, still = true, locale = "en" } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? "dark" : "light", reducedMotion: still ? "reduce" : "no-preference", locale });
  const page = await context.newPage();
  page.setDefaultTimeout(patience);
  page.complaints = [];
  page.asked = new Set();
  page.on("console", (message) => { if (message.type() === "error" && !/Failed to load resource/.test(message.text())) page.complaints.push(message.text()); });
  page.on("pageerror", (error) => page.complaints.push(error.stack));
  page.on("dialog", (dialog) => { page.complaints.push(`a dialog: ${dialog.message()}`); void dialog.dismiss(); });
  page.on("request", (request) => page.asked.add(new URL(request.url()).origin));
  await page.goto(link);
  return page;
}

export const live = (page) => page.locator(".connection", { hasText: "live" }).waitFor();
export const sentence = (page) => page.locator("#sentence .words");
export const says = (page, words) => page.locator("#sentence .words", { hasText: words }).waitFor();

// In place, without a load, as a person would by a link of the page.
export async function go(page, hash) {
  await page.evaluate((to) => { location.hash = to; }, hash);
}

export async function findings(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
  return violations.map((one) => `${one.id} (${one.impact}): ${one.nodes.slice(0, 3).map((node) => `${node.target} ${node.failureSummary?.split("\n").slice(1, 3).join(" ")}`).join("; ")}`);
}
