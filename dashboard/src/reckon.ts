// What a start took its time for: the critical path, who had time to spare, and what would change if one were faster.
//
// Pure: moments in, moments out (ms, from the begin of the start).
import type { Timeline } from "./api";

export interface Bar {
  name: string; type: string; waiting: number | null; starting: number | null; started: number | null; ready: number | null; attempts: number;
  edges: { on: string; condition: string; holds: number | null }[]; critical: boolean; slack: number | null; last: string | null;
}
export interface Course { bars: Bar[]; begun: number; up: number | null; end: number }

export function courseOf(timeline: Timeline): Course | null {
  if (timeline.begun_monotonic_ns === null) return null;
  const begun = timeline.begun_monotonic_ns / 1e6;
  const ms = (ns: number | null) => (ns === null ? null : Math.max(0, ns / 1e6 - begun));
  const bars: Bar[] = timeline.services.filter((one) => one.wanted_monotonic_ns !== null).map((one) => ({
    name: one.name, type: one.type, attempts: one.attempts, waiting: ms(one.waiting_monotonic_ns ?? one.wanted_monotonic_ns), starting: ms(one.starting_monotonic_ns), started: ms(one.started_monotonic_ns),
    ready: ms(one.ready_monotonic_ns ?? (one.type === "oneshot" ? one.stopped_monotonic_ns : null)), edges: one.edges.map((edge) => ({ on: edge.on, condition: edge.condition, holds: ms(edge.holds_since_monotonic_ns) })), critical: false, slack: null, last: null,
  }));
  const by = new Map(bars.map((one) => [one.name, one]));
  for (const one of bars) {
    const held = one.edges.filter((edge) => by.has(edge.on));
    const open = held.find((edge) => edge.holds === null);
    const last = open ?? held.reduce<Bar["edges"][number] | undefined>((a, b) => (!a || b.holds! > a.holds! ? b : a), undefined);
    one.last = last?.on ?? null;
  }
  const complete = bars.length > 0 && bars.every((one) => one.ready !== null);
  const up = complete ? Math.max(...bars.map((one) => one.ready!)) : null;
  markCritical(bars, by);
  if (up !== null) spare(bars, by, up);
  const end = up ?? timeline.now_monotonic_ns / 1e6 - begun;
  return { bars, begun, up, end: Math.max(end, ...bars.map((one) => one.ready ?? one.starting ?? 0), 1) };
}

function markCritical(bars: Bar[], by: Map<string, Bar>) {
  const worth = (one: Bar) => one.ready ?? (one.starting !== null ? 1e15 - one.starting : 1e14);
  let at = bars.length ? bars.reduce((a, b) => (worth(b) > worth(a) ? b : a)) : undefined;
  for (let steps = 0; at && !at.critical && steps <= bars.length; steps++) {
    at.critical = true;
    at = at.last === null ? undefined : by.get(at.last);
  }
}

// How much later each could have been ready without anybody else, and the whole, being later.
function spare(bars: Bar[], by: Map<string, Bar>, up: number) {
  const latest = new Map<string, number>(bars.map((one) => [one.name, up]));
  for (const one of [...bars].sort((a, b) => b.ready! - a.ready!)) {
    const own = one.ready! - (one.starting ?? one.ready!);
    for (const edge of one.edges) {
      const on = by.get(edge.on);
      if (!on || edge.holds === null) continue;
      const mayStart = latest.get(one.name)! - own;
      latest.set(edge.on, Math.min(latest.get(edge.on)!, mayStart + (on.ready! - edge.holds)));
    }
  }
  for (const one of bars) one.slack = Math.max(0, latest.get(one.name)! - one.ready!);
}

// When everything would have been up if `name` had needed only `factor` of its time.
export function whatIf(course: Course, name: string, factor: number): number | null {
  if (course.up === null) return null;
  const begins = new Map<string, number>(), by = new Map(course.bars.map((one) => [one.name, one]));
  const scale = (one: Bar) => (one.name === name ? factor : 1);
  const start = (one: Bar) => one.starting ?? one.ready ?? 0;
  let up = 0;
  for (const one of [...course.bars].sort((a, b) => start(a) - start(b))) {
    const held = one.edges.filter((edge) => by.has(edge.on) && edge.holds !== null);
    let begin = start(one);
    if (held.length) {
      const had = Math.max(...held.map((edge) => edge.holds!));
      const has = Math.max(...held.map((edge) => { const on = by.get(edge.on)!; return (begins.get(edge.on) ?? start(on)) + (edge.holds! - start(on)) * scale(on); }));
      begin = has + Math.max(0, start(one) - had);
    }
    begins.set(one.name, begin);
    up = Math.max(up, begin + (one.ready! - start(one)) * scale(one));
  }
  return up;
}
