// Everything that has happened, with its evidence and its cause; a row is also a moment to go to.
import { useMemo, useState } from "preact/hooks";
import { useMedia } from "./media";
import { model, moment, tick } from "./model";
import { filter, link, options, write } from "./place";
import { evidenceText } from "./service";
import { Sign, StateMark } from "./shapes";
import { clock, plural, T } from "./text";
import type { JournalEvent } from "./api";
import { Rows } from "./virtual";

const kinds = ["state", "bell", "notice", "stack"] as const;
const textOf = (one: JournalEvent) => `${one.service ?? ""} ${one.state ?? ""} ${one.bell ?? ""} ${one.event ?? ""} ${one.cause ?? ""} ${one.evidence?.words ?? ""} ${one.evidence?.probe ?? ""}`.toLowerCase();

const header = <><span role="columnheader" class="c-time">Time</span><span role="columnheader" class="c-name">Service</span><span role="columnheader" class="c-what">What</span><span role="columnheader" class="c-why">Evidence and cause</span></>;

export function Journal() {
  tick.value;
  const t = moment.value, kind = options.value.kind ?? "";
  const narrow = useMedia("(max-width: 44rem)");
  const [follow, setFollow] = useState(true);
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = useMemo(() => model.events.filter((one) => (!kind || one.kind === kind) && words.every((word) => textOf(one).includes(word))), [tick.value, kind, filter.value]);
  // The last event that has happened at the moment that is shown.
  const here = t === null ? -1 : shown.findLastIndex((one) => one.monotonic_ns / 1e6 <= t + 0.5);
  return (
    <section class="view journal" aria-label="Journal">
      <div class="tools">
        <label>Filter <input class="filter" type="search" value={filter.value} onInput={(event) => { filter.value = event.currentTarget.value; write(); }} /></label>
        <label>Kind <select value={kind} onChange={(event) => { options.value = { ...options.value, kind: event.currentTarget.value }; write(); }}><option value="">all</option>{kinds.map((one) => <option key={one} value={one}>{one}</option>)}</select></label>
        <span class="soft" role="status">{plural(shown.length, "event")}{model.missed > 0 && `; ${plural(model.missed, "older one")} not kept`}</span>
      </div>
      <Rows id="event" class="events" role="grid" columns={4} label="Journal. Arrow keys go to the moment of an event." count={shown.length} height={narrow ? 46 : 26} chosen={here} follow={follow && t === null} onFollow={setFollow}
        onChoose={(i) => { moment.value = shown[i].monotonic_ns / 1e6; write(); }} header={header}
        row={(i) => {
          const one = shown[i], evidence = evidenceText(one.evidence);
          return (
            <>
              <span role="gridcell" class="c-time"><time>{clock(Date.parse(one.time))}</time></span>
              <span role="gridcell" class="c-name">{one.service ? <a href={link("service", one.service)} tabIndex={-1}><T s={one.service} /></a> : <span class="soft">stack</span>}</span>
              <span role="gridcell" class="c-what">{one.kind === "state" ? <StateMark state={one.state!} /> : one.kind === "bell" ? <><Sign of="bell" /> <T s={one.bell} /></> : one.kind === "stack" ? <T s={one.event} /> : "ⓘ notice"}</span>
              <span role="gridcell" class="c-why" title={one.cause ?? undefined}>{evidence && <span class="evidence">by <T s={evidence} /> </span>}<T s={one.cause} /></span>
            </>
          );
        }} />
    </section>
  );
}
