// docs/screenshots: a few pictures of a stack that comes up and is partly broken.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { go, launch, live, look, says, Stack } from "./stack.mjs";

const folder = process.argv[2];
const held = (name, more = "") => `[sh, -c, "mkfifo $DIR/${name}; ${more}read line <$DIR/${name}; echo serving; exec sleep 1000"]`;
const stack = await new Stack(`
  db: {command: [sh, -c, "echo starting; sleep 0.4; echo ready for connections; exec sleep 1000"], ready: {log: ready for}}
  cache: {command: [sh, -c, "sleep 0.2; echo listening; exec sleep 1000"], ready: {log: listening}}
  queue: {command: [sh, -c, "sleep 0.3; echo listening; exec sleep 1000"], ready: {log: listening}}
  migrate: {type: oneshot, command: [sh, -c, "echo 12 steps; sleep 0.6"], depends_on: [db]}
  api: {command: [sh, -c, "sleep 0.2; echo serving; exec sleep 1000"], ready: {log: serving}, depends_on: {migrate: completed, cache: ready}}
  worker: {command: [sh, -c, "while sleep 0.3; do echo took a job; done"], replicas: 2, depends_on: [db, queue]}
  mail: {command: [sh, -c, "echo cannot reach smtp.example >&2; exit 1"], restart: {delay: 60s}, depends_on: {queue: {condition: ready, required: false}}}
  web: {command: ${held("web", "echo warming up; ")}, ready: {log: serving}, depends_on: [api, worker]}
  edge: {type: gate, depends_on: [web]}`).start();
const browser = await launch();
try {
  const page = await look(browser, await stack.dashboard(), { width: 1200, height: 640 });
  await live(page);
  await page.locator("#sentence .path a").first().waitFor();
  const states = async () => Object.fromEntries((await stack.get("/v1/services")).services.map((one) => [one.name, one.state]));
  for (let now = await states(); now.web !== "starting" || now.mail !== "backoff"; now = await states());
  await page.waitForTimeout(900);
  const take = (name) => page.screenshot({ path: join(folder, `${name}.png`) });
  await take("dashboard");
  writeFileSync(join(stack.path, "web"), "go\n");
  await page.locator("#sentence .path a", { hasText: "mail" }).first().waitFor();
  await go(page, "#/course?s=migrate");
  await page.locator(".what-if").waitFor();
  await take("dashboard-start");
} finally {
  await browser.close();
  await stack.end();
}
