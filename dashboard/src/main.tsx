import { effect } from "@preact/signals";
import { render } from "preact";
import { asksToken, Confirmation, note, Notes, TokenDialog } from "./actions";
import { frozen, setBearer } from "./api";
import { Course } from "./course";
import { Graph } from "./graph";
import { Journal } from "./journal";
import { List } from "./list";
import { Logs } from "./logs";
import { useSeconds } from "./media";
import { askAgain, connection, epochOf, goneSince, keepUp, model, moment, refusedBecause, sentence, shownNow, startedAnew, tick } from "./model";
import { Help, helps, opened, Palette, setTheme } from "./palette";
import { go, link, linkedRun, read, service, view, views } from "./place";
import { playing, playStart, Scrubber, step, toMoment } from "./scrubber";
import { ServicePage } from "./service";
import { StateIcon } from "./shapes";
import type { State } from "./api";
import { clock, span, T } from "./text";

const toneShape: Record<string, State> = { good: "ready", busy: "starting", warn: "unready", bad: "failed", off: "inactive" };

function Head() {
  tick.value;
  const { tone, text, since, culprit, behind } = sentence.value;
  const t = moment.value;
  useSeconds(t === null && !frozen);
  return (
    <header class="head">
      <div class="brand"><h1 class="stack-name"><T s={model.stack?.stack ?? "belfry"} /></h1><Connection />
        <button type="button" class="plain" onClick={() => { opened.value = true; }} aria-label="Commands (colon)"><kbd>:</kbd> commands</button>
      </div>
      <p class={`sentence tone-${tone}`} id="sentence"><StateIcon state={toneShape[tone]} size={22} />
        <span><span class="words">{t !== null && <span class="then">{clock(epochOf(t))} </span>}{text}{since !== null && since > 0 && !/ for \d/.test(text) && <span class="since">, for {span(shownNow() - since)}</span>}</span>
          {culprit !== null && <span class="path">{" "}<a href={link("service", culprit)}><T s={culprit} /></a>{behind.slice(0, 5).map((one) => <span key={one}> → <a href={link("service", one)}><T s={one} /></a></span>)}{behind.length > 5 && ` and ${behind.length - 5} more`}</span>}
        </span>
      </p>
      <nav aria-label="Views">
        {views.map((one) => <a key={one.view} href={link(one.view)} aria-current={view.value === one.view || (one.view === "services" && view.value === "service") ? "page" : undefined} onClick={(event) => { event.preventDefault(); go(one.view); }}>{one.title}</a>)}
      </nav>
    </header>
  );
}

function Connection() {
  const state = connection.value;
  useSeconds(state === "gone");
  if (state === "frozen") return <span class="connection">as it was {new Date(epochOf(shownNow())).toLocaleString()}</span>;
  if (state === "live") return <span class="connection tone-good"><i class="dot" /> live</span>;
  if (state === "connecting") return <span class="connection">asking…</span>;
  return null;
}

function Trouble() {
  const state = connection.value;
  useSeconds(state === "gone");
  return (
    <div class="trouble" role="status" aria-live="polite">
      {state === "gone" && <p><strong>belfry does not answer</strong> since {clock(goneSince.value, false)}. This is how it was then; asking again by itself. <button type="button" onClick={askAgain}>Ask now</button></p>}
      {state === "refused" && <p><T s={refusedBecause.value} /> <button type="button" onClick={() => { asksToken.value = true; }}>Give the token</button> <button type="button" onClick={askAgain}>Ask again</button></p>}
      {state === "live" && startedAnew.value && <p>belfry is back, and this is a new run of it: what happened before is gone. <button type="button" onClick={() => { startedAnew.value = false; }}>Good</button></p>}
    </div>
  );
}

function Main() {
  switch (view.value) {
    case "services": return <List />;
    case "service": return <ServicePage key={service.value} />;
    case "logs": return <Logs />;
    case "course": return <Course />;
    case "journal": return <Journal />;
    case "graph": return <Graph />;
  }
}

function App() {
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById("main")!.focus(); }}>To the content</a>
      <Head />
      <Trouble />
      <main id="main" tabIndex={-1}><Main /></main>
      <Scrubber />
      <Notes />
      <Palette />
      <Help />
      <Confirmation />
      <TokenDialog />
    </>
  );
}

function keys(event: KeyboardEvent) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const target = event.target as HTMLElement;
  const typing = target.matches("input:not([type=range]):not([type=checkbox]), select, textarea");
  if (event.key === "Escape") {
    if (typing) { (document.querySelector(".rows, .graph-walk") as HTMLElement | null)?.focus(); return; }
    if (view.value === "service") history.length > 1 ? history.back() : go("services");
    return;
  }
  if (typing) return;
  const named = views.find((one) => one.key === event.key);
  if (named) go(named.view);
  else if (event.key === ":") opened.value = true;
  else if (event.key === "?") helps.value = true;
  else if (event.key === "/") {
    if (!document.querySelector(".filter")) go("services");
    requestAnimationFrame(() => (document.querySelector(".filter") as HTMLElement | null)?.focus());
  }
  else if (event.key === "n") toMoment(null);
  else if (event.key === ",") step(-1);
  else if (event.key === ".") step(1);
  else if (event.key === " " && !target.matches("button, a, input")) { if (moment.value === null) playStart(); else playing.value = !playing.value; }
  else return;
  event.preventDefault();
}

// `belfry dashboard` gives a key that is good once; what it is exchanged for stays with this address, so that links open in other tabs, too.
async function exchangeKey() {
  const given = location.hash.match(/^#key=([\w-]+)$/)?.[1];
  const keep = "belfry-session";
  if (given) {
    history.replaceState(null, "", location.pathname);
    const response = await fetch("/dashboard/session", { method: "POST", headers: { Authorization: `Bearer ${given}` } }).catch(() => null);
    if (response?.ok) {
      const session = await response.text();
      try { localStorage.setItem(keep, session); } catch { /* then it ends with this page */ }
      setBearer(session);
      return;
    }
    note("This link has been used, or is of another belfry dashboard: run it again for a new one.", true);
  }
  try {
    const session = localStorage.getItem(keep);
    if (session) setBearer(session);
  } catch { /* nothing was kept */ }
}

async function begin() {
  try { setTheme(localStorage.getItem("belfry-theme") ?? ""); } catch { /* the system's */ }
  if (!frozen) await exchangeKey();
  read();
  addEventListener("hashchange", read);
  addEventListener("popstate", read);
  addEventListener("keydown", keys);
  effect(() => { document.title = `${{ good: "✔", busy: "…", warn: "▲", bad: "✖", off: "○" }[sentence.value.tone]} ${model.stack?.stack ?? "belfry"}`; });
  let checked = false;
  effect(() => {
    tick.value;
    if (checked || !model.run) return;
    checked = true;
    if (linkedRun && linkedRun !== model.run && moment.peek() !== null) { toMoment(null); note("The link is about another run of belfry: this is now."); }
  });
  const root = document.getElementById("root")!;
  root.textContent = "";
  render(<App />, root);
  void keepUp();
}

void begin();
