// What services wrote, merged and followed. The daemon filters; here only the newest lines are kept.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { follow, frozen, get, Refused, type LogLine } from "./api";
import { changed, epochOf, model, moment, tick } from "./model";
import { filter, options, service, write } from "./place";
import { Sign } from "./shapes";
import { clock, plural, T, visible } from "./text";
import { Rows } from "./virtual";

const mostLines = 10_000;

// Owner: the component that shows it. It goes on where it was when the connection breaks.
export class LogStream {
  lines: LogLine[] = [];
  dropped = 0;  // lines that were here and have gone, so that places stay what they were
  error = "";
  state: "asking" | "following" | "gone" = "asking";
  private lastId = "";
  private stopped = new AbortController();

  constructor(private query: string) {}

  async run() {
    if (frozen) return this.fromFile();
    for (let wait = 300; !this.stopped.signal.aborted; wait = Math.min(wait * 2, 4000)) {
      try {
        await follow(`/v1/logs?follow=1&${this.query}`, this.lastId, this.stopped.signal, (messages) => {
          for (const message of messages) this.take(message.event, message.id, message.data);
          this.cut();
          changed();
        }, () => { this.state = "following"; this.error = ""; wait = 300; changed(); });
      } catch (error) {
        if (this.stopped.signal.aborted) return;
        if (error instanceof Refused && error.status < 429) { this.error = error.message; changed(); return; }
      }
      this.state = "gone";
      changed();
      await new Promise((resolve) => { setTimeout(resolve, wait); this.stopped.signal.addEventListener("abort", resolve); });
    }
  }
  end() { this.stopped.abort(); }

  private take(event: string, id: string, data: string) {
    if (id) this.lastId = id;
    if (event === "begin") return this.begin(JSON.parse(data) as { run: string });
    if (event === "end" || event === "dropped") return;
    this.lines.push(JSON.parse(data) as LogLine);
  }
  private run_ = "";
  private begin({ run }: { run: string }) {
    if (this.run_ && run !== this.run_) { this.dropped += this.lines.length; this.lines = []; }
    this.run_ = run;
  }
  private cut() {
    if (this.lines.length <= mostLines + mostLines / 4) return;
    this.dropped += this.lines.length - mostLines;
    this.lines = this.lines.slice(-mostLines);
  }
  private async fromFile() {
    const asked = new URLSearchParams(this.query), wanted = asked.getAll("service"), grep = asked.get("grep"), stream = asked.get("stream");
    let fits: RegExp | null = null;
    try { fits = grep ? new RegExp(grep, "u") : null; } catch { this.error = "cannot read the regular expression"; }
    const answer = await get<{ lines: LogLine[] }>("/v1/logs").catch(() => ({ lines: [] }));
    this.lines = answer.lines.filter((one) => (!wanted.length || wanted.includes(one.service ?? "")) && (!fits || fits.test(one.line ?? "")) && (!stream || one.stream === stream));
    this.state = "following";
    changed();
  }
}

export function useLogs(query: string): LogStream {
  const stream = useRef<LogStream | null>(null);
  const [current, set] = useState(() => new LogStream(query));
  useEffect(() => {
    const one = new LogStream(query);
    stream.current = one;
    set(one);
    void one.run();
    return () => one.end();
  }, [query]);
  return current;
}

// As many lines as there were at the moment that is shown.
export function linesUntil(lines: LogLine[], t: number | null): LogLine[] {
  if (t === null) return lines;
  const end = epochOf(t);
  let low = 0, high = lines.length;
  while (low < high) {
    const middle = (low + high) >> 1, time = lines[middle].time;
    if (time === undefined || Date.parse(time) <= end) low = middle + 1; else high = middle;
  }
  return lines.slice(0, low);
}

const hues = 8;
function hue(name: string): number {
  let sum = 7;
  for (let i = 0; i < name.length; i++) sum = (sum * 31 + name.charCodeAt(i)) >>> 0;
  return sum % hues;
}

export function logRow(line: LogLine, withService: boolean, find?: RegExp | null) {
  if (line.line === undefined) {
    return <span class="log-gap">{line.missed == null ? "Lines" : plural(line.missed, "line")} of <T s={line.service ?? "belfry"} /> {line.missed === 1 ? "is" : "are"} missing here: <T s={line.because} /></span>;
  }
  return (
    <>
      <time class="log-time">{line.time ? clock(Date.parse(line.time)) : ""}</time>
      {withService && <span class={`log-service hue-${hue(line.service ?? "")}`} title={visible(line.service ?? "")}><T s={line.service ?? ""} /></span>}
      <span class={`log-line${line.stream === "stderr" ? " err" : ""}`}>{line.stream === "stderr" && <abbr title="standard error">err</abbr>}{line.continued && "…"}<T s={line.line} find={find} />{line.goes_on && "…"}</span>
    </>
  );
}

function later<Value>(value: Value, ms: number): Value {
  const [shown, set] = useState(value);
  useEffect(() => { const timer = setTimeout(() => set(value), ms); return () => clearTimeout(timer); }, [value, ms]);
  return shown;
}

export function Logs() {
  tick.value;
  const grep = later(filter.value, 300);
  const { stream = "", find = "" } = options.value;
  const only = service.value;
  const query = useMemo(() => {
    const parameters = new URLSearchParams({ n: "2000" });
    if (only) parameters.set("service", only);
    if (grep) parameters.set("grep", grep);
    if (stream) parameters.set("stream", stream);
    return parameters.toString();
  }, [grep, stream, only]);
  const logs = useLogs(query);
  const [following, setFollowing] = useState(true);
  const [chosen, setChosen] = useState(-1);  // counted from the first line that ever was here
  const lines = linesUntil(logs.lines, moment.value);
  const pattern = useMemo(() => (find ? new RegExp(find.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"), "giu") : null), [find]);
  const set = (name: string, value: string) => { options.value = { ...options.value, [name]: value }; write(); };
  const here = chosen - logs.dropped;
  const seek = (step: number) => {
    if (!find) return;
    const words = find.toLowerCase();
    for (let n = 1, i = here < 0 ? (step < 0 ? lines.length : -1) : here; n <= lines.length; n++) {
      i = (i + step + lines.length) % lines.length;
      if (lines[i].line?.toLowerCase().includes(words)) { setFollowing(false); setChosen(i + logs.dropped); return; }
    }
  };
  const known = model.services.filter((one) => one.type !== "external");
  return (
    <section class="view logs" aria-label="Logs">
      <div class="tools">
        <label>Of <select value={only} onChange={(event) => { service.value = event.currentTarget.value; write(); }}>
          <option value="">everybody</option>
          {only && only !== "belfry" && !known.some((one) => one.name === only) && <option value={only}>{visible(only)}</option>}
          {known.map((one) => <option key={one.name} value={one.name}>{visible(one.name)}</option>)}
          <option value="belfry">belfry</option>
        </select></label>
        <label>Lines with <input class="filter" type="search" value={filter.value} placeholder="regular expression" onInput={(event) => { filter.value = event.currentTarget.value; write(); }} /></label>
        <label>Stream <select value={stream} onChange={(event) => set("stream", event.currentTarget.value)}><option value="">all</option><option value="stdout">stdout</option><option value="stderr">stderr</option></select></label>
        <label>Find <input type="search" value={find} onInput={(event) => set("find", event.currentTarget.value)} onKeyDown={(event) => { if (event.key === "Enter") seek(event.shiftKey ? 1 : -1); }} /></label>
        {find && <><button type="button" aria-label="The one before" onClick={() => seek(-1)}><Sign of="up" /></button><button type="button" aria-label="The next one" onClick={() => seek(1)}><Sign of="down" /></button></>}
        <label class="check"><input type="checkbox" checked={following} onChange={(event) => setFollowing(event.currentTarget.checked)} /> follow</label>
        <span class="soft" role="status">{plural(lines.length, "line")}{logs.dropped > 0 && ", the newest"}{logs.state === "gone" && "; belfry is gone, these are kept"}</span>
      </div>
      {logs.error && <p class="refusal" role="alert"><T s={logs.error} /></p>}
      <Rows id="line" class="log" role="log" wide label="Lines of the logs" count={lines.length} height={20} row={(i) => logRow(lines[i], !only, pattern)} follow={following && here < 0} onFollow={(at) => { setFollowing(at); if (at) setChosen(-1); }}
        chosen={here} onChoose={(i) => { setFollowing(false); setChosen(i + logs.dropped); }} />
      {here >= 0 && lines[here]?.line !== undefined && (
        <aside class="line-whole" aria-label="The chosen line">
          <button type="button" class="plain" aria-label="Close" onClick={() => setChosen(-1)}><Sign of="close" /></button>
          <p class="soft"><T s={lines[here].service} />, run {lines[here].incarnation}, {lines[here].time}</p>
          <pre><T s={lines[here].line} find={pattern} /></pre>
        </aside>
      )}
    </section>
  );
}
