// One service: why, its bells with what rang them, its runs, what it publishes, probes, logs, and what is measured.
import { useEffect, useState } from "preact/hooks";
import { frozen, get, getText, type Evidence, type JournalEvent, type PastRun, type Service, type Why } from "./api";
import { Actions } from "./actions";
import { linesUntil, logRow, useLogs } from "./logs";
import { useSeconds } from "./media";
import { at, epochOf, isUp, model, moment, shownNow, tick, toneOf } from "./model";
import { go, link, service as chosen } from "./place";
import { Sign, StateMark } from "./shapes";
import { bytes, clock, plural, span, T, Ticked, visible } from "./text";
import { Rows } from "./virtual";

export function evidenceText(evidence: Evidence | null): string {
  if (!evidence) return "";
  const parts: string[] = [];
  if (evidence.probe) parts.push(`${evidence.probe}${evidence.port ? ` ${evidence.port}` : ""}`);
  if (evidence.pid) parts.push(`process ${evidence.pid}`);
  if (evidence.words) parts.push(`“${evidence.words}”`);
  return parts.join(", ");
}

// Asks again when the service has changed, and not oftener than once a second.
function useAnswer<Answer>(path: string, stamp: string): Answer | null {
  const [answer, set] = useState<Answer | null>(null);
  useEffect(() => { set(null); }, [path]);
  useEffect(() => {
    const stop = new AbortController();
    const timer = setTimeout(() => {
      get<Answer>(path, stop.signal).then(set, () => { /* the head of the page says that belfry is gone */ });
    }, answer === null ? 0 : 900);
    return () => { clearTimeout(timer); stop.abort(); };
  }, [path, stamp]);
  return answer;
}

export function ServicePage() {
  tick.value;
  const name = chosen.value, t = moment.value;
  const live = model.byName.get(name);
  useSeconds(t === null);
  const shown = at(name, t);
  const path = `/v1/services/${encodeURIComponent(name)}`;
  const stamp = `${shown.state} ${shown.since} ${Math.floor(shownNow() / 5000)}`;
  const detail = useAnswer<Service>(path, stamp);
  const why = useAnswer<Why>(`/v1/why/${encodeURIComponent(name)}`, stamp);
  if (!live) return <section class="view"><p>{model.stack ? <>There is no service <T s={name} /> in this stack.</> : "Asking belfry…"}</p></section>;
  const edges = model.edges.get(name) ?? [], dependents = model.dependents.get(name) ?? [];
  const events = model.events.filter((one) => one.service === name && (t === null || one.monotonic_ns / 1e6 <= t));
  return (
    <section class="view page" aria-label={`Service ${visible(name)}`}>
      <header class="page-head">
        <h2><T s={name} /></h2>
        <p><StateMark state={shown.state} /> <span class="soft">for {span(shownNow() - shown.since)}</span></p>
        <Actions name={name} />
      </header>
      <div class="page-grid">
        <Reasons why={t === null ? why : null} cause={shown.cause} tone={toneOf[shown.state]} past={t !== null} up={isUp(shown.state)} />
        <Facts live={live} past={t !== null} edges={edges} dependents={dependents} />
        <Bells events={events} />
        <Runs runs={detail?.past_runs ?? []} />
        <Measured name={name} />
        <LogTail name={name} />
      </div>
    </section>
  );
}

function Reasons({ why, cause, tone, past, up }: { why: Why | null; cause: string | null; tone: string; past: boolean; up: boolean }) {
  if (past || !why) return cause && !up ? <div class="block"><h3>Why</h3><p class={`tone-${tone}`}><T s={cause} /></p></div> : null;
  return (
    <div class="block why">
      <h3>Why</h3>
      <p class={why.ready ? "" : "headline"}><T s={why.headline} /></p>
      {why.chain.length > 1 && <ol class="chain">{why.chain.slice(0, 40).map((one, i) => <li key={i} class={one.is_culprit ? "culprit" : ""}><a href={link("service", one.service)}><T s={one.service} /></a> <T s={one.text} /></li>)}</ol>}
      {why.left_out > 0 && <p class="soft">and {plural(why.left_out, "service")} more</p>}
      {why.evidence.length > 0 && <dl class="pairs">{why.evidence.map((one, i) => <div key={i}><dt><T s={one.what} /></dt><dd><T s={one.text} /></dd></div>)}</dl>}
      {why.log.length > 0 && <pre class="tail" tabIndex={0} aria-label="Its last lines">{why.log.map((one, i) => <span key={i}><T s={one} />{"\n"}</span>)}</pre>}
      {[...why.next.map((one) => one.text), ...why.help].map((one, i) => <p key={i} class="next"><Ticked s={one} /></p>)}
    </div>
  );
}

function Facts({ live, past, edges, dependents }: { live: Service; past: boolean; edges: { on: string; condition: string; required: boolean }[]; dependents: string[] }) {
  const rows: [string, preact.ComponentChildren][] = [["Type", live.type]];
  if (!past) {
    if (live.pid !== null) rows.push(["Process", live.pid]);
    rows.push(["Run", live.incarnation || "none yet"]);
    if (live.restarts) rows.push(["Restarts", live.restarts]);
    if (live.time_to_ready_ns !== null) rows.push(["Ready after", span(live.time_to_ready_ns / 1e6)]);
    if (live.readiness_method) rows.push(["Readiness", <T s={live.readiness_method} />]);
    if (live.readiness_polling) rows.push(["", <T s={live.readiness_polling} />]);
    if (live.status_text) rows.push(["It says", <T s={live.status_text} />]);
    if (live.last_error && !isUp(live.state)) rows.push(["Last error", <T s={live.last_error} />]);
  }
  if (edges.length) rows.push(["Waits for", edges.map((edge, i) => <span key={edge.on}>{i > 0 && ", "}<a href={link("service", edge.on)}><T s={edge.on} /></a> <small>{visible(edge.condition)}{edge.required ? "" : ", optional"}</small></span>)]);
  if (dependents.length) rows.push(["Waited for by", dependents.map((one, i) => <span key={one}>{i > 0 && ", "}<a href={link("service", one)}><T s={one} /></a></span>)]);
  const outputs = Object.entries(live.outputs ?? {}), bells = Object.entries(live.bells ?? {});
  return (
    <div class="block">
      <h3>What it is</h3>
      <dl class="pairs">{rows.map(([what, value], i) => <div key={i}><dt>{what}</dt><dd>{value}</dd></div>)}</dl>
      {bells.length > 0 && <><h3>Own bells</h3><dl class="pairs">{bells.map(([bell, rung]) => <div key={bell}><dt><T s={bell} /></dt><dd>{rung ? "has rung" : "has not rung"}</dd></div>)}</dl></>}
      {outputs.length > 0 && <><h3>Outputs</h3><dl class="pairs">{outputs.map(([key, value]) => <div key={key}><dt><T s={key} /></dt><dd><code><T s={value} /></code></dd></div>)}</dl></>}
    </div>
  );
}

// The newest first; what rang a bell stands beside it.
function Bells({ events }: { events: JournalEvent[] }) {
  const [all, setAll] = useState(false);
  const list = events.slice(all ? -400 : -12).reverse();
  return (
    <div class="block">
      <h3>Bells and states</h3>
      {!list.length && <p class="soft">Nothing has happened to it in this run of belfry.</p>}
      <ol class="story">{list.map((one) => {
        const evidence = evidenceText(one.evidence);
        return (
          <li key={one.sequence}>
            <time>{clock(Date.parse(one.time))}</time> <span class="soft">#{one.incarnation}</span>{" "}
            {one.kind === "bell" ? <><Sign of="bell" /> <strong><T s={one.bell} /></strong></> : one.kind === "state" ? <StateMark state={one.state!} /> : "ⓘ"}
            {evidence && <span class="evidence"> by <T s={evidence} /></span>}{one.cause && <span class="cause"> <T s={one.cause} /></span>}
          </li>
        );
      })}</ol>
      {!all && events.length > 12 && <button type="button" onClick={() => setAll(true)}>All {events.length > 400 ? "the last 400" : events.length}</button>}
    </div>
  );
}

function Runs({ runs }: { runs: PastRun[] }) {
  if (!runs.length) return null;
  const longest = Math.max(...runs.map((one) => one.wall_ns), 1);
  return (
    <div class="block wide-block">
      <h3>Runs that are over</h3>
      <div class="scroll" tabIndex={0} role="region" aria-label="Runs that are over">
        <table>
          <thead><tr><th>Run</th><th>Began</th><th>Took</th><th class="meter-cell"><span class="unseen">as a bar</span></th><th>Ready after</th><th>Processor</th><th>Memory</th><th>End</th></tr></thead>
          <tbody>{[...runs].reverse().map((one) => (
            <tr key={one.incarnation}>
              <td>{one.incarnation}</td><td>{clock(Date.parse(one.started), false)}</td><td>{span(one.wall_ns / 1e6)}</td>
              <td class="meter-cell"><span class="meter" style={{ width: `${Math.max(2, one.wall_ns / longest * 100)}%` }} /></td>
              <td>{one.time_to_ready_ns === null ? "–" : span(one.time_to_ready_ns / 1e6)}</td><td>{span((one.cpu_user_ns + one.cpu_system_ns) / 1e6)}</td>
              <td>{one.peak_memory_bytes === null ? "–" : bytes(one.peak_memory_bytes)}</td><td><T s={one.end ?? ""} />{one.oom_kills > 0 && ` (${plural(one.oom_kills, "OOM kill")})`}</td>
            </tr>))}</tbody>
        </table>
      </div>
    </div>
  );
}

interface Series { label: string; unit: "ms" | "/s" | "s" | ""; values: number[]; last?: { count: number; sum: number; at: number } }

// Lines of /metrics that are about this service, as numbers by name and labels.
function samplesOf(text: string, name: string): Map<string, number> {
  const found = new Map<string, number>(), label = `service="${name.replace(/[\\"]/g, "\\$&")}"`;
  for (const line of text.split("\n")) {
    if (line.startsWith("#") || !line.includes(label)) continue;
    const end = line.lastIndexOf(" ");
    found.set(line.slice(0, end).replace(label, "").replace("{,", "{").replace(",}", "}").replace("{}", ""), Number(line.slice(end + 1)));
  }
  return found;
}

const everySeconds = 3, mostPoints = 60;

function Measured({ name }: { name: string }) {
  const [series] = useState(() => new Map<string, Series>());
  const [, redraw] = useState(0);
  const [error, setError] = useState("");
  useEffect(() => {
    if (frozen) return;
    series.clear();
    const stop = new AbortController();
    const ask = async () => {
      if (document.hidden) return;
      try {
        take(series, samplesOf(await getText("/metrics", stop.signal), name));
        setError("");
      } catch (failed) { if (!stop.signal.aborted) setError(failed instanceof Error ? failed.message : ""); }
      redraw((n) => n + 1);
    };
    void ask();
    const timer = setInterval(() => void ask(), everySeconds * 1000);
    return () => { clearInterval(timer); stop.abort(); };
  }, [name]);
  const shown = [...series.values()].filter((one) => one.values.length > 0);
  if (!shown.length || error) return null;
  return (
    <div class="block">
      <h3>Measured, every {everySeconds} s</h3>
      <dl class="sparks">{shown.map((one) => <div key={one.label}><dt><T s={one.label} /></dt><dd><Spark values={one.values} /> <span>{number(one.values.at(-1)!, one.unit)}</span></dd></div>)}</dl>
    </div>
  );
}

const number = (value: number, unit: string) => `${value >= 100 ? Math.round(value) : Number(value.toPrecision(2))}${unit && ` ${unit}`}`;

function take(series: Map<string, Series>, samples: Map<string, number>) {
  const push = (key: string, label: string, unit: Series["unit"], value: number) => {
    const one = series.get(key) ?? { label, unit, values: [] };
    one.values = [...one.values.slice(1 - mostPoints), value];
    series.set(key, one);
  };
  for (const [key, value] of samples) {
    const [metric, labels = ""] = key.split("{");
    const of = labels.match(/probe="([^"]*)"/)?.[1] ?? "";
    if (metric === "belfry_probe_duration_seconds_sum") {
      const count = samples.get(key.replace("_sum", "_count")) ?? 0;
      const one = series.get(key) ?? { label: `answer of ${of}`, unit: "ms" as const, values: [] };
      if (one.last && count > one.last.count) one.values = [...one.values.slice(1 - mostPoints), (value - one.last.sum) / (count - one.last.count) * 1000];
      else if (!one.last && count) one.values = [value / count * 1000];
      one.last = { count, sum: value, at: 0 };
      series.set(key, one);
    } else if (metric === "belfry_service_restarts_total") {
      if (value > 0 || series.has(key)) push(key, `restarts${labels.match(/reason="([^"]*)"/) ? ` (${labels.match(/reason="([^"]*)"/)![1]})` : ""}`, "", value);
    } else if (/^belfry_service_(cpu_seconds|log_lines_dropped|log_dropped)/.test(metric) && (value > 0 || series.has(key))) {
      push(key, metric.replace("belfry_service_", "").replaceAll("_", " "), metric.includes("seconds") ? "s" : "", value);
    }
  }
}

function Spark({ values }: { values: number[] }) {
  const low = Math.min(...values, 0), high = Math.max(...values, 1e-9);
  const points = values.map((value, i) => `${(mostPoints - values.length + i) / (mostPoints - 1) * 120},${22 - (value - low) / (high - low) * 20}`).join(" ");
  return <svg class="spark" viewBox="0 0 120 24" width="120" height="24" aria-hidden="true"><polyline points={points} fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round" /></svg>;
}

function LogTail({ name }: { name: string }) {
  tick.value;
  const type = model.byName.get(name)?.type;
  const logs = useLogs(`n=200&service=${encodeURIComponent(name)}`);
  const [following, setFollowing] = useState(true);
  if (type === "external" || logs.error) return null;
  const lines = linesUntil(logs.lines, moment.value);
  return (
    <div class="block wide-block">
      <h3>Log <a class="beside" href={link("logs", name)} onClick={(event) => { event.preventDefault(); go("logs", { service: name }); }}>all of it</a></h3>
      {lines.length ? <Rows id="tail" class="log short" role="log" wide label="Its lines" count={lines.length} height={20} row={(i) => logRow(lines[i], type === "gate")} follow={following} onFollow={setFollowing} /> : <p class="soft">It has written nothing{moment.value !== null && ` until ${clock(epochOf(moment.value))}`}.</p>}
    </div>
  );
}
