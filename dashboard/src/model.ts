// What is known of the stack: how it is now, and what happened before; at any moment of the journal.
//
// The values are plain and change in place; `tick` tells whoever shows them, at most once a frame.
import { computed, signal } from "@preact/signals";
import { follow, frozen, get, hasBearer, Refused, type Events, type JournalEvent, type Service, type Stack, type State, type Timeline, type Why } from "./api";
import { names, plural, visible } from "./text";

export const tick = signal(0);
let scheduled = false;
export function changed() {
  if (scheduled) return;
  scheduled = true;
  const tell = () => { scheduled = false; tick.value++; };
  if (document.hidden) setTimeout(tell, 200); else requestAnimationFrame(tell);
}

export const connection = signal<"connecting" | "live" | "gone" | "refused" | "frozen">("connecting");
export const goneSince = signal(0);
export const refusedBecause = signal("");
export const startedAnew = signal(false);  // this is another run of belfry than the one that was looked at first
export const moment = signal<number | null>(null);  // ms of the host's monotonic clock; null: now

export interface Edge { on: string; condition: string; required: boolean }
export const model = {
  stack: null as Stack | null,
  services: [] as Service[],
  byName: new Map<string, Service>(),
  edges: new Map<string, Edge[]>(),  // of whom: on whom
  dependents: new Map<string, string[]>(),
  timeline: null as Timeline | null,
  why: null as Why | null,
  run: "",
  events: [] as JournalEvent[],
  missed: 0,
  shape: 0,  // changes when services or edges do
};
export const serviceCount = signal(0);

interface Turn { at: number; state: State; incarnation: number; cause: string | null }
let turns = new Map<string, Turn[]>();
let firstFrom = new Map<string, State>();
const mostEvents = 30_000;

// The daemon's clock against ours.
let offset = 0;  // performance.now() + offset = monotonic ms of the host
let wallOffset = 0;  // monotonic ms + wallOffset = epoch ms
export const now = () => (frozen && model.stack ? model.stack.now_monotonic_ns / 1e6 : performance.now() + offset);
export const shownNow = () => moment.value ?? now();
export const epochOf = (monotonic: number) => monotonic + wallOffset;

export const firstMoment = () => (model.events[0] ? model.events[0].monotonic_ns / 1e6 : now());
export const startBegan = () => {
  const begun = model.timeline?.begun_monotonic_ns;
  return begun == null ? null : begun / 1e6;
};

function takeStack(stack: Stack) {
  offset = stack.now_monotonic_ns / 1e6 - performance.now();
  const before = model.services.map((one) => one.name).join("\n");
  model.stack = stack;
  model.services = stack.services;
  model.byName = new Map(stack.services.map((one) => [one.name, one]));
  if (before !== stack.services.map((one) => one.name).join("\n")) {
    model.shape++;
    edgesOf = "";
  }
  serviceCount.value = stack.services.length;
  changed();
}

let edgesOf = "";
function takeTimeline(timeline: Timeline) {
  model.timeline = timeline;
  const key = timeline.services.map((one) => one.name + ":" + one.edges.map((edge) => `${edge.on} ${edge.condition} ${edge.required}`).join()).join("\n");
  if (key !== edgesOf) {
    edgesOf = key;
    model.edges = new Map(timeline.services.map((one) => [one.name, one.edges.map(({ on, condition, required }) => ({ on, condition, required }))]));
    model.dependents = new Map();
    for (const one of timeline.services) {
      for (const edge of one.edges) model.dependents.set(edge.on, [...(model.dependents.get(edge.on) ?? []), one.name]);
    }
    model.shape++;
  }
  changed();
}

function remember(event: JournalEvent) {
  if (event.kind !== "state" || !event.service || !event.state) return;
  const list = turns.get(event.service);
  const turn = { at: event.monotonic_ns / 1e6, state: event.state, incarnation: event.incarnation ?? 0, cause: event.cause };
  if (list) list.push(turn);
  else {
    turns.set(event.service, [turn]);
    firstFrom.set(event.service, event.from ?? "inactive");
  }
}

function takeEvent(event: JournalEvent, live: boolean) {
  const last = model.events.at(-1);
  if (last && event.sequence <= last.sequence) return;
  model.events.push(event);
  wallOffset = Date.parse(event.time) - event.monotonic_ns / 1e6;
  remember(event);
  if (model.events.length > mostEvents) {
    model.missed += mostEvents / 4;
    model.events = model.events.slice(mostEvents / 4);
    turns = new Map();
    firstFrom = new Map();
    model.events.forEach(remember);
  }
  if (live && event.kind === "stack" && event.event === "stopping" && model.stack) model.stack.shutting_down = true;
  if (!live || event.kind !== "state" || !event.service || !event.state) return;
  const service = model.byName.get(event.service);
  if (!service) return;
  service.state = event.state;
  service.since = event.time;
  service.since_monotonic_ns = event.monotonic_ns;
  service.incarnation = event.incarnation ?? service.incarnation;
}

function forget() {
  model.events = [];
  model.missed = 0;
  model.run = "";
  turns = new Map();
  firstFrom = new Map();
}

export interface Shown { state: State; since: number; incarnation: number; cause: string | null }

// How a service is, or was, at the moment that is shown.
export function at(name: string, t: number | null): Shown {
  const service = model.byName.get(name);
  if (t === null || !model.events.length) {
    return service ? { state: service.state, since: service.since_monotonic_ns / 1e6, incarnation: service.incarnation, cause: service.last_error }
      : { state: "inactive", since: 0, incarnation: 0, cause: null };
  }
  const list = turns.get(name);
  if (!list) {
    const known = service && service.since_monotonic_ns / 1e6 <= t;
    return { state: known ? service.state : "inactive", since: known ? service.since_monotonic_ns / 1e6 : firstMoment(), incarnation: 0, cause: null };
  }
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle].at <= t) low = middle + 1; else high = middle;
  }
  if (low === 0) return { state: firstFrom.get(name) ?? "inactive", since: firstMoment(), incarnation: 0, cause: null };
  const { at: since, state, incarnation, cause } = list[low - 1];
  return { state, since, incarnation, cause };
}

export const isUp = (state: State) => state === "ready" || state === "completed";
const runsNow = new Set<State>(["starting", "ready", "unready", "stopping"]);

// Everything that runs and depends on it, however far away: who is stopped before it is.
export function dependentsOf(name: string, alsoIdle = false): string[] {
  const found = new Set<string>(), todo = [name];
  while (todo.length) {
    for (const one of model.dependents.get(todo.pop()!) ?? []) {
      if (!found.has(one) && one !== name) { found.add(one); todo.push(one); }
    }
  }
  return [...found].filter((one) => alsoIdle || runsNow.has(model.byName.get(one)?.state ?? "inactive"));
}

// What a start pulls in: what it requires and what does not hold.
export function missingOf(name: string): string[] {
  const found = new Set<string>(), todo = [name];
  while (todo.length) {
    for (const edge of model.edges.get(todo.pop()!) ?? []) {
      if (edge.required && !found.has(edge.on) && edge.on !== name) { found.add(edge.on); todo.push(edge.on); }
    }
  }
  return [...found].filter((one) => !isUp(model.byName.get(one)?.state ?? "inactive"));
}

export type Tone = "good" | "busy" | "warn" | "bad" | "off";
export const toneOf: Record<State, Tone> = {
  inactive: "off", waiting: "off", starting: "busy", ready: "good", unready: "warn", stopping: "busy", backoff: "warn", completed: "good", failed: "bad", blocked: "bad",
};

export interface Sentence { tone: Tone; text: string; since: number | null; culprit: string | null; behind: string[] }

const rank: Partial<Record<State, number>> = { failed: 5, backoff: 4, unready: 3, starting: 2, stopping: 1 };

// From what the journal says: who was waited for, by whom, and since when.
function reckon(t: number): Sentence {
  const stack = model.stack?.stack ?? "";
  const is = (name: string) => at(name, t);
  const counted = model.services.filter((one) => one.wanted || isUp(is(one.name).state));
  const open = counted.filter((one) => !isUp(is(one.name).state) && is(one.name).state !== "inactive");
  const stopping = open.filter((one) => is(one.name).state === "stopping");
  const up = counted.filter((one) => isUp(is(one.name).state));
  if (stopping.length) {
    const last = stopping.reduce((a, b) => (is(a.name).since < is(b.name).since ? a : b));
    return { tone: "busy", text: `${visible(stack)} is going down: ${names(stopping.map((one) => one.name), 3)} ${stopping.length === 1 ? "is" : "are"} stopping; ${up.length} still up`, since: is(last.name).since, culprit: last.name, behind: [] };
  }
  if (!open.length) {
    if (!up.length) return { tone: "off", text: `Nothing of ${visible(stack)} is running`, since: null, culprit: null, behind: [] };
    const since = Math.max(...up.map((one) => is(one.name).since));
    return { tone: "good", text: `All is well: ${plural(up.length, "service")} of ${visible(stack)} ${up.length === 1 ? "is" : "are"} ready`, since, culprit: null, behind: [] };
  }
  const roots = open.filter((one) => rank[is(one.name).state]);
  const weight = (name: string) => rank[is(name).state] ?? 0;
  // Whoever holds up most of those who are worst off; of a thousand, the oldest few are enough to choose from.
  const candidates = (roots.length ? roots : open).sort((a, b) => weight(b.name) - weight(a.name) || is(a.name).since - is(b.name).since).slice(0, 24);
  const held = new Map(candidates.map((one) => [one.name, dependentsOf(one.name, true).filter((name) => !isUp(is(name).state))]));
  const worst = candidates.reduce((a, b) => (weight(b.name) - weight(a.name) || held.get(b.name)!.length - held.get(a.name)!.length) > 0 ? b : a);
  const shown = is(worst.name);
  const behind = held.get(worst.name)!;
  const waits = { starting: "is starting", waiting: "is waiting", backoff: "has failed and will be tried again", failed: "has failed", unready: "is no longer ready", blocked: "is blocked" }[shown.state as string] ?? `is ${shown.state}`;
  const others = roots.length - 1;
  return {
    tone: toneOf[shown.state] === "off" ? "busy" : toneOf[shown.state],
    text: `${visible(stack)} waits for ${visible(worst.name)}, which ${waits}${shown.cause ? `: ${visible(shown.cause)}` : ""}` + (others > 0 ? `; and for ${plural(others, "other")}` : ""),
    since: shown.since, culprit: worst.name, behind,
  };
}

// One sentence: what the stack waits for, or that all is well.
export const sentence = computed<Sentence>(() => {
  tick.value;
  const t = moment.value;
  const { stack, why } = model;
  if (!stack) return { tone: "off", text: "Asking belfry…", since: null, culprit: null, behind: [] };
  if (t !== null) return reckon(t);
  if (stack.shutting_down || !why || why.ready || !why.culprit) return reckon(now());
  // Of the stack, each culprit stands at depth 0, and below it those who wait for it; of a service, the culprit comes last.
  const place = why.chain.findIndex((one) => one.service === why.culprit);
  const culprit = why.chain[place];
  const end = why.chain.findIndex((one, i) => i > place && one.depth === 0);
  const state = at(why.culprit, null).state;
  const behind = why.chain.slice(place + 1, end < 0 ? undefined : end).map((one) => one.service);
  const tone = toneOf[state] === "good" ? "warn" : toneOf[state] === "off" ? "busy" : toneOf[state];
  return { tone, text: visible(why.headline), since: culprit ? at(why.culprit, null).since : null, culprit: why.culprit, behind };
});

// --- keeping up with the daemon

let dirty = true, refreshing = false, lastRefresh = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

// States come by the stream at once; the rest is asked for, at most once a second and not oftener than it is cheap.
function soon() {
  dirty = true;
  if (timer || refreshing || connection.value === "refused") return;
  const pause = Math.max(0, lastRefresh + (model.services.length > 300 ? 2500 : 700) - performance.now());
  timer = setTimeout(() => { timer = undefined; void refresh(); }, pause);
}

async function refresh() {
  refreshing = true;
  dirty = false;
  try {
    takeStack(await get<Stack>("/v1/services"));
    takeTimeline(await get<Timeline>("/v1/timeline"));
    model.why = await get<Why>("/v1/why");
    changed();
  } catch { /* the stream says that it is gone */ }
  refreshing = false;
  lastRefresh = performance.now();
  if (dirty) soon();
}

async function catchUp(): Promise<void> {
  for (;;) {
    const since = model.events.at(-1)?.sequence ?? 0;
    let page: Events;
    try {
      page = await get<Events>(since ? `/v1/events?since=${since}` : "/v1/events");
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 400 || !since) throw error;
      forget();  // it does not know that event: it is another run
      startedAnew.value = true;
      continue;
    }
    if (model.run && page.run !== model.run) {
      forget();
      moment.value = null;
      startedAnew.value = true;
      model.run = page.run;
      continue;
    }
    model.run = page.run;
    model.missed = Math.max(model.missed, page.first - 1);
    for (const event of page.events) takeEvent(event, false);
    changed();
    if (!page.more) return;
  }
}

let again: (() => void) | null = null;
function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const done = () => { clearTimeout(waiting); again = null; resolve(); };
    const waiting = setTimeout(done, ms);
    again = done;
  });
}
// Ask at once: the network is back, the tab is looked at again, a token was given.
export function askAgain() { again?.(); }

let restart = new AbortController();
export function reconnect() { restart.abort(); askAgain(); }

async function once() {
  restart = new AbortController();
  takeStack(await get<Stack>("/v1/services"));
  takeTimeline(await get<Timeline>("/v1/timeline"));
  model.why = await get<Why>("/v1/why");
  await catchUp();
  const since = model.events.at(-1)?.sequence ?? 0;
  await follow(`/v1/events?since=${since}`, "", restart.signal, (messages) => {
    for (const message of messages) {
      if (message.event === "message") takeEvent(JSON.parse(message.data) as JournalEvent, true);
    }
    changed();
    soon();
  }, () => { connection.value = "live"; });
}

export async function keepUp() {
  if (frozen) {
    takeStack(await get<Stack>("/v1/services"));
    takeTimeline(await get<Timeline>("/v1/timeline"));
    model.why = await get<Why>("/v1/why");
    await catchUp();
    connection.value = "frozen";
    changed();
    return;
  }
  addEventListener("online", askAgain);
  document.addEventListener("visibilitychange", askAgain);
  setInterval(() => { if (connection.value === "live" && !document.hidden) soon(); }, 10_000);
  for (let wait = 250; ;) {
    try {
      await once();
    } catch (error) {
      if (error instanceof Refused && (error.status === 401 || error.status === 403)) {
        refusedBecause.value = error.message;
        connection.value = "refused";
      }
    }
    if (connection.value === "live") wait = 250;
    if (connection.value !== "refused" && connection.value !== "gone") {
      goneSince.value = Date.now();
      connection.value = "gone";
    }
    changed();
    await pause(connection.value === "refused" ? 3_600_000 : wait);
    if (connection.value === "refused" && hasBearer()) connection.value = "connecting";
    wait = Math.min(wait * 2, 4000);
  }
}
