// All services as a list: state, since when, restarts, and why in a line.
import { useMemo, useState } from "preact/hooks";
import { useMedia } from "./media";
import { at, isUp, model, moment, shownNow, tick, toneOf } from "./model";
import { filter, go, options, service, write } from "./place";
import { StateMark } from "./shapes";
import { plural, span, T } from "./text";
import { Rows } from "./virtual";

export function reasonOf(name: string, t: number | null): string {
  const shown = at(name, t), live = model.byName.get(name);
  if (t !== null) return shown.cause ?? waitsFor(name, t);
  if (!live) return "";
  if (live.state === "waiting" && live.waiting_for.length) return `waits for ${live.waiting_for.join(", ")}`;
  if (!isUp(live.state) && live.state !== "inactive" && live.last_error) return live.last_error;
  const known = model.why?.chain.find((one) => one.service === name);
  if (known && !isUp(live.state)) return known.text;
  return live.status_text ?? (live.state === "starting" ? live.readiness_method ?? "" : "");
}

function waitsFor(name: string, t: number): string {
  if (at(name, t).state !== "waiting") return "";
  const open = (model.edges.get(name) ?? []).filter((edge) => !isUp(at(edge.on, t).state));
  return open.length ? `waits for ${open.map((edge) => `${edge.on} ${edge.condition}`).join(", ")}` : "";
}

const order = ["failed", "blocked", "backoff", "unready", "stopping", "starting", "waiting", "ready", "completed", "inactive"];

const header = (
  <>
    <span role="columnheader" class="c-state">State</span><span role="columnheader" class="c-name">Service</span><span role="columnheader" class="c-since">For</span>
    <span role="columnheader" class="c-restarts">Restarts</span><span role="columnheader" class="c-why">Why</span>
  </>
);

export function List() {
  tick.value;
  const t = moment.value;
  const narrow = useMedia("(max-width: 44rem)");
  const [onlyOpen, setOnlyOpen] = useState(options.value.open === "1");
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  const sort = options.value.by ?? "file";
  const shown = useMemo(() => {
    let list = model.services.filter((one) => {
      const state = at(one.name, t).state;
      if (onlyOpen && (isUp(state) || state === "inactive")) return false;
      return words.every((word) => one.name.toLowerCase().includes(word) || state.includes(word) || one.type.includes(word));
    });
    if (sort === "state") list = [...list].sort((a, b) => order.indexOf(at(a.name, t).state) - order.indexOf(at(b.name, t).state));
    if (sort === "name") list = [...list].sort((a, b) => (a.name < b.name ? -1 : 1));
    if (sort === "restarts") list = [...list].sort((a, b) => b.restarts - a.restarts);
    return list;
  }, [tick.value, t, filter.value, onlyOpen, sort]);
  const chosen = shown.findIndex((one) => one.name === service.value);
  const set = (name: string, value: string) => { options.value = { ...options.value, [name]: value }; write(); };
  const row = (index: number) => {
    const one = shown[index], now = at(one.name, t);
    const reason = reasonOf(one.name, t);
    return (
      <>
        <span role="gridcell" class="c-state"><StateMark state={now.state} /></span>
        <span role="gridcell" class="c-name"><a href={`#/service?s=${encodeURIComponent(one.name)}`} tabIndex={-1} title={one.name.length > 24 ? one.name : undefined} onClick={(event) => { event.preventDefault(); go("service", { service: one.name }); }}><T s={one.name} /></a></span>
        <span role="gridcell" class="c-since">{now.since ? span(shownNow() - now.since) : ""}</span>
        <span role="gridcell" class="c-restarts">{t === null ? one.restarts || "" : ""}</span>
        <span role="gridcell" class={`c-why tone-${toneOf[now.state] === "bad" || toneOf[now.state] === "warn" ? toneOf[now.state] : "soft"}`} title={reason || undefined}><T s={reason} /></span>
      </>
    );
  };
  return (
    <section class="view list" aria-label="Services">
      <div class="tools">
        <label>Filter <input class="filter" type="search" value={filter.value} onInput={(event) => { filter.value = event.currentTarget.value; write(); }} /></label>
        <label>Order <select value={sort} onChange={(event) => set("by", event.currentTarget.value)}>
          <option value="file">as in the file</option><option value="state">worst first</option><option value="name">by name</option><option value="restarts">most restarts</option>
        </select></label>
        <label class="check"><input type="checkbox" checked={onlyOpen} onChange={(event) => { setOnlyOpen(event.currentTarget.checked); set("open", event.currentTarget.checked ? "1" : ""); }} /> not up</label>
        <span class="soft" role="status">{plural(shown.length, "service")}{shown.length !== model.services.length && ` of ${model.services.length}`}</span>
      </div>
      <Rows id="service" class="services" role="grid" columns={5} label="Services. Arrow keys choose one, Enter opens it." count={shown.length} height={narrow ? 50 : 30} row={row} chosen={chosen}
        onChoose={(i) => { service.value = shown[i].name; write(); }} onOpen={(i) => go("service", { service: shown[i].name })} header={header} />
    </section>
  );
}
