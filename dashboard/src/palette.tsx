// Every command, one key away: ":" opens it, words find, Enter does.
import { signal } from "@preact/signals";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { allowed, asked, asksToken, mayCommand, type Command } from "./actions";
import { frozen } from "./api";
import { model } from "./model";
import { go, service, views } from "./place";
import { playStart, toMoment } from "./scrubber";
import { T, visible } from "./text";

export const opened = signal(false);
export const helps = signal(false);
const most = 60;

interface Entry { text: string; hint?: string; run: () => void }

export function setTheme(theme: string) {
  if (theme) document.documentElement.dataset.theme = theme; else delete document.documentElement.dataset.theme;
  try { localStorage.setItem("belfry-theme", theme); } catch { /* a page from a file may keep nothing */ }
}

function entries(): Entry[] {
  const found: Entry[] = views.map(({ view, title, key }) => ({ text: `show ${title.toLowerCase()}`, hint: key, run: () => go(view) }));
  found.push({ text: "show the stop", run: () => go("course", { options: { of: "stop" } }) }, { text: "play the start", hint: "space", run: playStart }, { text: frozen ? "go to the end" : "go to now", hint: "n", run: () => toMoment(null) });
  found.push({ text: "show logs of standard error", run: () => go("logs", { options: { stream: "stderr" } }) }, { text: "show what is not up", run: () => go("services", { options: { open: "1", by: "state" } }) });
  for (const theme of ["light", "dark"]) found.push({ text: `theme ${theme}`, run: () => setTheme(theme) });
  found.push({ text: "theme of the system", run: () => setTheme("") }, { text: "help: keys", hint: "?", run: () => { helps.value = true; } });
  if (!frozen && !mayCommand()) found.push({ text: "give the token", run: () => { asksToken.value = true; } });
  const here = service.value;
  const order = here ? [here, ...model.services.map((one) => one.name).filter((one) => one !== here)] : model.services.map((one) => one.name);
  for (const name of order) {
    found.push({ text: `service ${name}`, run: () => go("service", { service: name }) }, { text: `logs ${name}`, run: () => go("logs", { service: name }) });
    if (mayCommand()) for (const command of ["start", "stop", "restart", "reload", "kill"] as Command[]) if (allowed(command, name)) found.push({ text: `${command} ${name}`, hint: "asks first", run: () => { asked.value = { command, service: name }; } });
  }
  if (mayCommand()) found.push({ text: "shutdown", hint: "asks first", run: () => { asked.value = { command: "shutdown", service: "" }; } });
  return found;
}

export function Palette() {
  const dialog = useRef<HTMLDialogElement>(null), field = useRef<HTMLInputElement>(null);
  const [words, setWords] = useState(""), [chosen, setChosen] = useState(0);
  const all = useMemo(() => (opened.value ? entries() : []), [opened.value]);
  useEffect(() => {
    if (!opened.value) return;
    setWords("");
    setChosen(0);
    dialog.current!.showModal();
    field.current!.focus();
  }, [opened.value]);
  useEffect(() => { document.getElementById(`command-${chosen}`)?.scrollIntoView({ block: "nearest" }); }, [chosen]);
  if (!opened.value) return null;
  const asked = words.toLowerCase().split(/\s+/).filter(Boolean);
  const found: Entry[] = [];
  for (const one of all) if (found.length < most && asked.every((word) => one.text.toLowerCase().includes(word))) found.push(one);
  const close = () => { dialog.current?.close(); opened.value = false; };
  const run = (one: Entry | undefined) => { if (one) { close(); one.run(); } };
  const keys = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setChosen(Math.min(found.length - 1, chosen + 1));
    else if (event.key === "ArrowUp") setChosen(Math.max(0, chosen - 1));
    else if (event.key === "Enter") run(found[chosen]);
    else return;
    event.preventDefault();
  };
  return (
    <dialog ref={dialog} class="palette" aria-label="Commands" onClose={() => { opened.value = false; }} onClick={(event) => { if (event.target === dialog.current) close(); }}>
      <div class="palette-inside">
        <label class="prompt"><span aria-hidden="true">:</span><input ref={field} type="text" role="combobox" aria-label="Command" aria-expanded="true" aria-controls="commands" aria-activedescendant={found.length ? `command-${chosen}` : undefined} autocomplete="off" spellcheck={false} value={words}
          onInput={(event) => { setWords(event.currentTarget.value); setChosen(0); }} onKeyDown={keys} /></label>
        <div id="commands" role="listbox" aria-label="Commands that fit" tabIndex={-1}>
          {found.map((one, i) => <div key={one.text} id={`command-${i}`} role="option" aria-selected={i === chosen} class={i === chosen ? "chosen" : ""} onClick={() => run(one)} onMouseMove={() => { if (i !== chosen) setChosen(i); }}><T s={one.text} />{one.hint && <small>{visible(one.hint)}</small>}</div>)}
          {!found.length && <div role="option" aria-selected="false" aria-disabled="true" class="soft">nothing fits</div>}
        </div>
      </div>
    </dialog>
  );
}

const keysHelp: [string, string][] = [
  [":", "all commands"], ["/", "filter what is shown"], ["1 – 5", "graph, services, logs, start and stop, journal"], ["Arrow keys", "through graph, lists and journal"], ["Enter", "open the chosen service"],
  ["Escape", "close; back from a service"], ["Space", "play or pause, from the start on"], [", and .", "the event before, the next one"], ["n", "back to now"], ["+ − 0", "in the graph: nearer, farther, the whole"], ["?", "this"],
];

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => { if (helps.value) dialog.current!.showModal(); }, [helps.value]);
  if (!helps.value) return null;
  const close = () => { dialog.current?.close(); helps.value = false; };
  return (
    <dialog ref={dialog} class="ask" aria-labelledby="help-title" onClose={() => { helps.value = false; }}>
      <h2 id="help-title">Keys</h2>
      <dl class="pairs">{keysHelp.map(([key, what]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>)}</dl>
      <div class="buttons"><button type="button" autofocus onClick={close}>Close</button></div>
    </dialog>
  );
}

