// The start and the stop on a line of time: who waited, who worked, who held up the rest, and who had time to spare.
import { useMemo } from "preact/hooks";
import { useMedia, useSeconds } from "./media";
import { at, epochOf, isUp, model, moment, now, tick } from "./model";
import { filter, go, options, service, write } from "./place";
import { courseOf, whatIf, type Bar, type Course as Start } from "./reckon";
import { clock, plural, span, T, visible } from "./text";
import { Rows } from "./virtual";

interface StopBar { name: string; asked: number | null; begins: number; ends: number | null; how: string }
interface Stop { bars: StopBar[]; begun: number; end: number; over: boolean }

// The last stop that the journal knows: of the stack, else of whoever was stopped last.
function stopOf(t: number): Stop | null {
  const events = model.events;
  let first = -1;
  for (let i = events.length - 1; i >= 0 && first < 0; i--) if (events[i].kind === "stack" && events[i].event === "stopping" && events[i].monotonic_ns / 1e6 <= t) first = i;
  let begun = first >= 0 ? events[first].monotonic_ns / 1e6 : null;
  if (begun === null) {
    const last = events.findLast((one) => one.kind === "state" && one.state === "stopping" && one.monotonic_ns / 1e6 <= t);
    const command = last && events.findLast((one) => one.kind === "stack" && one.event === "command" && one.sequence < last.sequence);
    if (!last) return null;
    begun = (command ?? last).monotonic_ns / 1e6;
    first = events.indexOf(command ?? last);
  }
  const bars = new Map<string, StopBar>();
  let end = begun;
  for (const one of events.slice(first)) {
    const ms = one.monotonic_ns / 1e6;
    if (ms > t || one.kind !== "state" || !one.service) continue;
    if (one.state === "stopping" && !bars.has(one.service)) bars.set(one.service, { name: one.service, asked: 0, begins: ms - begun, ends: null, how: "" });
    const bar = bars.get(one.service);
    if (bar && bar.ends === null && one.from === "stopping") { bar.ends = ms - begun; bar.how = one.cause ?? ""; end = Math.max(end, ms); }
  }
  if (!bars.size) return null;
  const over = [...bars.values()].every((one) => one.ends !== null);
  return { bars: [...bars.values()], begun, end: Math.max(1, (over ? end : Math.min(t, now())) - begun), over };
}

export function Course() {
  tick.value;
  const t = moment.value;
  const kind = options.value.of === "stop" ? "stop" : "start";
  const start = useMemo(() => (model.timeline ? courseOf(model.timeline) : null), [model.timeline]);
  const stop = kind === "stop" ? stopOf(t ?? now()) : null;
  useSeconds(t === null && (kind === "start" ? start?.up === null : stop !== null && !stop.over));
  const set = (of: string) => { options.value = { ...options.value, of }; write(); };
  return (
    <section class="view course" aria-label="Start and stop">
      <div class="tools">
        <div role="group" aria-label="What is shown" class="segments">
          <button type="button" aria-pressed={kind === "start"} onClick={() => set("start")}>The start</button>
          <button type="button" aria-pressed={kind === "stop"} onClick={() => set("stop")}>The stop</button>
        </div>
        <label>Filter <input class="filter" type="search" value={filter.value} onInput={(event) => { filter.value = event.currentTarget.value; write(); }} /></label>
        {kind === "start" && <label>Order <select value={options.value.sort ?? "time"} onChange={(event) => { options.value = { ...options.value, sort: event.currentTarget.value }; write(); }}>
          <option value="time">as they began</option><option value="critical">critical path first</option><option value="long">longest first</option></select></label>}
      </div>
      {kind === "start" ? (start ? <StartView course={start} t={t} /> : <p class="soft pad">Nothing has been started yet.</p>) : stop ? <StopView stop={stop} /> : <p class="soft pad">Nothing has been stopped in this run of belfry.</p>}
    </section>
  );
}

const fits = (name: string) => !filter.value || name.toLowerCase().includes(filter.value.toLowerCase());

function StartView({ course, t }: { course: Start; t: number | null }) {
  tick.value;
  useSeconds(t === null && course.up === null);
  const narrow = useMedia("(max-width: 44rem)");
  const sort = options.value.sort ?? "time";
  const shownAt = t === null ? now() - course.begun : t - course.begun;
  const whole = course.up === null && t === null ? Math.max(course.end, shownAt) : course.end;
  const bars = useMemo(() => {
    const list = course.bars.filter((one) => fits(one.name));
    const begin = (one: Bar) => one.starting ?? one.waiting ?? 0;
    const took = (one: Bar) => (one.starting === null ? 0 : (one.ready ?? whole) - one.starting);
    list.sort((a, b) => (sort === "long" ? took(b) - took(a) : sort === "critical" ? Number(b.critical) - Number(a.critical) || begin(a) - begin(b) : begin(a) - begin(b)));
    return list;
  }, [course, filter.value, sort]);
  const critical = course.bars.filter((one) => one.critical).sort((a, b) => (a.starting ?? 0) - (b.starting ?? 0));
  const chosen = bars.findIndex((one) => one.name === service.value);
  return (
    <>
      <p class="pad">
        Began {clock(epochOf(course.begun), false)}{course.up !== null ? <>, everything was ready after <strong>{span(course.up)}</strong>.</> : <>, {span(whole)} ago, and not everything is ready.</>}{" "}
        {critical.length > 1 && <>The critical path: {critical.slice(-8).map((one, i) => <span key={one.name}>{i > 0 && " → "}<button type="button" class="link" onClick={() => { service.value = one.name; write(); }}><T s={one.name} /></button></span>)}.</>}
      </p>
      <p class="legend pad" aria-hidden="true"><span><i class="bar waits" /> waits</span><span><i class="bar works" /> starts</span><span><i class="bar works critical" /> on the critical path ★</span><span><i class="bar slack" /> time to spare</span></p>
      <Rows id="bar" class="bars" role="grid" columns={3} label="The start. Arrow keys choose a service." count={bars.length} height={narrow ? 44 : 28} chosen={chosen}
        onChoose={(i) => { service.value = bars[i].name; write(); }} onOpen={(i) => go("service", { service: bars[i].name })}
        header={<><span role="columnheader" class="c-name">Service</span><span role="columnheader" class="c-took">Took</span><span role="columnheader" class="c-line"><Ruler whole={whole} /></span></>}
        row={(i) => <StartRow bar={bars[i]} whole={whole} until={shownAt} />} />
      {chosen >= 0 && <WhatIf course={course} bar={bars[chosen]} />}
    </>
  );
}

function Ruler({ whole }: { whole: number }) {
  const step = [1, 2, 5].flatMap((n) => [-1, 0, 1, 2, 3, 4, 5, 6, 7].map((e) => n * 10 ** e)).sort((a, b) => a - b).find((one) => whole / one <= 6) ?? whole;
  const marks: number[] = [];
  for (let at = 0; at <= whole * 0.98; at += step) marks.push(at);
  return <span class="ruler">{marks.map((at) => <span key={at} style={{ left: `${at / whole * 100}%` }}>{at === 0 ? "0" : span(at)}</span>)}</span>;
}

const percent = (value: number, whole: number) => `${Math.min(100, Math.max(0, value / whole * 100))}%`;

function Piece({ kind, from, to, whole }: { kind: string; from: number; to: number; whole: number }) {
  if (to < from) return null;
  return <i class={`bar ${kind}`} style={{ left: percent(from, whole), width: `max(2px, ${percent(to - from, whole)})` }} />;
}

function StartRow({ bar, whole, until }: { bar: Bar; whole: number; until: number }) {
  const began = bar.starting !== null && bar.starting <= until ? bar.starting : null;
  const end = bar.ready !== null && bar.ready <= until ? bar.ready : null;
  const took = began === null ? (bar.waiting !== null && bar.waiting <= until ? "waits" : "") : span((end ?? Math.min(until, whole)) - began);
  return (
    <>
      <span role="gridcell" class="c-name" title={bar.name.length > 22 ? bar.name : undefined}>{bar.critical && <span aria-label="on the critical path">★ </span>}<T s={bar.name} /></span>
      <span role="gridcell" class="c-took">{took}{began !== null && end === null && "…"}</span>
      <span role="gridcell" class="c-line" aria-label={`${took}${bar.slack !== null ? `, ${span(bar.slack)} to spare` : ""}`}>
        {bar.waiting !== null && bar.waiting <= until && <Piece kind="waits" from={bar.waiting} to={began ?? Math.min(until, whole)} whole={whole} />}
        {began !== null && <Piece kind={`works${bar.critical ? " critical" : ""}${end === null ? " open" : ""}`} from={began} to={end ?? Math.min(until, whole)} whole={whole} />}
        {end !== null && bar.slack !== null && bar.slack > whole / 500 && <Piece kind="slack" from={end} to={end + bar.slack} whole={whole} />}
        {until < whole && <i class="until" style={{ left: percent(until, whole) }} />}
      </span>
    </>
  );
}

function WhatIf({ course, bar }: { course: Start; bar: Bar }) {
  const factor = Number(options.value.if ?? "0.5");
  const up = bar.starting === null || bar.ready === null ? null : whatIf(course, bar.name, factor);
  return (
    <aside class="what-if card" aria-label="What if it were faster">
      <p>
        <strong><T s={bar.name} /></strong>{bar.starting !== null && bar.ready !== null && ` took ${span(bar.ready - bar.starting)}`}{bar.attempts > 1 && `, in run ${bar.attempts} of this start`}
        {bar.slack !== null && (bar.slack > 1 ? `; it could have been ${span(bar.slack)} later and nobody would have noticed` : "; nothing could have been later without the whole being later")}
        {bar.last && <>; what it waited for last: <T s={bar.last} /></>}.
      </p>
      {up !== null && course.up !== null && (
        <p><label>If it took <input type="range" min="0" max="2" step="0.05" value={factor} aria-valuetext={`${Math.round(factor * 100)} %`} onInput={(event) => { options.value = { ...options.value, if: event.currentTarget.value }; write(); }} /> {Math.round(factor * 100)} % of that</label>,
          everything would be ready after <strong>{span(up)}</strong>{Math.abs(up - course.up) < 0.5 ? ": no difference" : up < course.up ? `: ${span(course.up - up)} sooner` : `: ${span(up - course.up)} later`}.</p>
      )}
      <button type="button" onClick={() => go("service", { service: bar.name })}>Open {visible(bar.name).slice(0, 40)}</button>
    </aside>
  );
}

function StopView({ stop }: { stop: Stop }) {
  const narrow = useMedia("(max-width: 44rem)");
  const bars = stop.bars.filter((one) => fits(one.name));
  const chosen = bars.findIndex((one) => one.name === service.value);
  const left = model.services.filter((one) => !isUp(at(one.name, moment.value).state) && at(one.name, moment.value).state === "stopping").length;
  return (
    <>
      <p class="pad">Began {clock(epochOf(stop.begun), false)}, {stop.over ? <>over after <strong>{span(stop.end)}</strong></> : <>{plural(left, "service")} still stopping</>}.</p>
      <p class="legend pad" aria-hidden="true"><span><i class="bar waits" /> waits for those who depend on it</span><span><i class="bar stops" /> stops</span></p>
      <Rows id="stop" class="bars" role="grid" columns={3} label="The stop" count={bars.length} height={narrow ? 44 : 28} chosen={chosen} onChoose={(i) => { service.value = bars[i].name; write(); }} onOpen={(i) => go("service", { service: bars[i].name })}
        header={<><span role="columnheader" class="c-name">Service</span><span role="columnheader" class="c-took">Took</span><span role="columnheader" class="c-line"><Ruler whole={stop.end} /></span></>}
        row={(i) => {
          const one = bars[i];
          return (
            <>
              <span role="gridcell" class="c-name"><T s={one.name} /></span><span role="gridcell" class="c-took">{span((one.ends ?? stop.end) - one.begins)}{one.ends === null && "…"}</span>
              <span role="gridcell" class="c-line" title={one.how || undefined}><Piece kind="waits" from={0} to={one.begins} whole={stop.end} /><Piece kind={`stops${one.ends === null ? " open" : ""}`} from={one.begins} to={one.ends ?? stop.end} whole={stop.end} /></span>
            </>
          );
        }} />
    </>
  );
}
