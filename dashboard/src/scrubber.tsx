// The line of time below everything: drag to any moment of the journal, and every view shows that moment.
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { frozen } from "./api";
import { useSeconds } from "./media";
import { epochOf, firstMoment, model, moment, now, startBegan, tick } from "./model";
import { write } from "./place";
import { Sign } from "./shapes";
import { clock, span } from "./text";

export const playing = signal(false);
export const speed = signal(1);

let playsUntil = Infinity;
export function toMoment(t: number | null) { moment.value = t; if (t === null) playing.value = false; write(); }
export function playStart() {
  const begun = startBegan();
  if (begun === null) return;
  const up = model.timeline?.up_monotonic_ns;
  const took = (up ? up / 1e6 : now()) - begun;
  speed.value = took < 12_000 ? 0.25 : took < 60_000 ? 1 : 10;
  playsUntil = up ? up / 1e6 + took / 20 : Infinity;
  moment.value = begun;
  playing.value = true;
}
export function step(by: number) {
  const t = moment.value ?? now();
  const next = by > 0 ? model.events.find((one) => one.monotonic_ns / 1e6 > t + 0.01) : model.events.findLast((one) => one.monotonic_ns / 1e6 < t - 0.01);
  if (next) { playing.value = false; toMoment(next.monotonic_ns / 1e6); } else if (by > 0) toMoment(null);
}

export function Scrubber() {
  tick.value;
  const t = moment.value;
  useSeconds(t === null && !frozen);
  const first = firstMoment(), end = now();
  const whole = Math.max(1, end - first);
  const picture = useRef<HTMLCanvasElement>(null);

  useEffect(() => {
    if (!playing.value) return;
    let last = performance.now(), frame = 0;
    const go = (time: number) => {
      if (!playing.value) return;
      const next = (moment.value ?? first) + (time - last) * speed.value;
      last = time;
      if (next >= now()) return toMoment(null);
      moment.value = next;
      if (next >= playsUntil) { playsUntil = Infinity; playing.value = false; return; }
      frame = requestAnimationFrame(go);
    };
    frame = requestAnimationFrame(go);
    return () => { cancelAnimationFrame(frame); write(); };
  }, [playing.value]);
  useEffect(() => { if (picture.current) density(picture.current, first, whole); });

  return (
    <footer class="scrubber" aria-label="Time">
      <div class="time-buttons">
        <button type="button" aria-label={playing.value ? "Pause" : "Play"} onClick={() => { if (moment.value === null) playStart(); else playing.value = !playing.value; }}><Sign of={playing.value ? "pause" : "play"} /></button>
        <button type="button" aria-label="The event before" onClick={() => step(-1)}><Sign of="back" /></button>
        <button type="button" aria-label="The next event" onClick={() => step(1)}><Sign of="next" /></button>
        <label class="speed"><span class="unseen">Speed</span><select value={speed.value} onChange={(event) => { speed.value = Number(event.currentTarget.value); }}>
          {[0.05, 0.1, 0.25, 1, 4, 10, 60, 600].map((one) => <option key={one} value={one}>{one}×</option>)}</select></label>
      </div>
      <div class="track">
        <canvas ref={picture} aria-hidden="true" />
        <input type="range" aria-label="Moment" min={0} max={whole} step={whole > 100_000 ? 100 : 1} value={t === null ? whole : t - first}
          aria-valuetext={t === null ? (frozen ? "the end" : "now") : clock(epochOf(t))}
          onInput={(event) => { playing.value = false; const value = Number(event.currentTarget.value); toMoment(value >= whole - whole / 500 ? null : first + value); }} />
      </div>
      <output class="moment">{t === null ? (frozen ? "the end" : "now") : <>{clock(epochOf(t))}<small>{startBegan() !== null && t >= startBegan()! ? ` start + ${span(t - startBegan()!)}` : ` ${span(end - t)} ago`}</small></>}</output>
      {t !== null && <button type="button" class="primary" onClick={() => toMoment(null)}>{frozen ? "To the end" : "Back to now"}</button>}
    </footer>
  );
}

// How much happened when, and of which kind.
function density(canvas: HTMLCanvasElement, first: number, whole: number) {
  const box = canvas.getBoundingClientRect();
  canvas.width = box.width * devicePixelRatio;
  canvas.height = box.height * devicePixelRatio;
  const context = canvas.getContext("2d");
  if (!context) return;
  const style = getComputedStyle(canvas);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const columns = Math.max(1, Math.floor(box.width / 3)), counts = new Uint32Array(columns), bad = new Uint8Array(columns);
  for (const one of model.events) {
    const column = Math.min(columns - 1, Math.max(0, Math.floor((one.monotonic_ns / 1e6 - first) / whole * columns)));
    counts[column]++;
    if (one.state === "failed" || one.state === "backoff" || one.state === "unready") bad[column] = 1;
  }
  const most = Math.log1p(Math.max(...counts, 1)), wide = canvas.width / columns;
  for (let i = 0; i < columns; i++) {
    if (!counts[i]) continue;
    context.fillStyle = colour(bad[i] ? "--warn" : "--busy");
    const height = Math.max(2, Math.log1p(counts[i]) / most * canvas.height);
    context.fillRect(i * wide, canvas.height - height, Math.max(1, wide - devicePixelRatio), height);
  }
}
