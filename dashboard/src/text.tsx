// What a service says is text, and never markup. What would be invisible in it, or turn its direction round, is shown.
import type { ComponentChildren } from "preact";

// Controls, marks of direction, spaces without width, line separators, tags, halves of characters.
const hidden = /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|[\ud800-\udfff]/gu;

function picture(character: string): string {
  const code = character.codePointAt(0)!;
  if (code === 9) return "⇥";
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return "␡";
  return `‹U+${code.toString(16).toUpperCase().padStart(4, "0")}›`;
}

// The same as a plain string, for titles, labels and canvases.
export const visible = (text: string): string => text.replace(hidden, picture);

export function T({ s, find }: { s: string | null | undefined; find?: RegExp | null }) {
  const text = s ?? "";
  const parts: ComponentChildren[] = [];
  let from = 0;
  for (const match of text.matchAll(hidden)) {
    if (match.index > from) parts.push(...marked(text.slice(from, match.index), find));
    parts.push(<span class="sign">{picture(match[0])}</span>);
    from = match.index + match[0].length;
  }
  if (from < text.length) parts.push(...marked(from ? text.slice(from) : text, find));
  return <bdi>{parts}</bdi>;
}

function marked(text: string, find?: RegExp | null): ComponentChildren[] {
  if (!find) return [text];
  const parts: ComponentChildren[] = [];
  let from = 0;
  for (const match of text.matchAll(find)) {
    if (!match[0]) break;
    if (match.index > from) parts.push(text.slice(from, match.index));
    parts.push(<mark>{match[0]}</mark>);
    from = match.index + match[0].length;
  }
  parts.push(text.slice(from));
  return parts;
}

// Words of belfry's, in which what can be typed stands between backticks.
export function Ticked({ s }: { s: string }) {
  return <>{s.split("`").map((part, i) => (i % 2 ? <code key={i}><T s={part} /></code> : <T key={i} s={part} />))}</>;
}

// "3.2 s", "4 min 5 s": as a person says it.
export function span(milliseconds: number): string {
  const ms = Math.max(0, milliseconds);
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 60) return `${Math.floor(s)} s`;
  const whole = Math.floor(s);
  const days = Math.floor(whole / 86400), hours = Math.floor((whole % 86400) / 3600), minutes = Math.floor((whole % 3600) / 60);
  if (days) return `${days} d ${hours} h`;
  if (hours) return `${hours} h ${minutes} min`;
  return `${minutes} min ${whole % 60} s`;
}

export function bytes(count: number): string {
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (count < 1024 || unit === "GiB") return `${count < 10 && unit !== "B" ? count.toFixed(1) : Math.round(count)} ${unit}`;
    count /= 1024;
  }
  return "";
}

const two = (n: number) => String(n).padStart(2, "0");

// In the time of whoever looks at it.
export function clock(epoch: number, withMilliseconds = true): string {
  const d = new Date(epoch);
  return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}` + (withMilliseconds ? `.${String(d.getMilliseconds()).padStart(3, "0")}` : "");
}

export const plural = (count: number, one: string, many = one + "s") => `${count} ${count === 1 ? one : many}`;

export function names(list: string[], most = 4): string {
  const shown = list.slice(0, most).map(visible);
  const rest = list.length - shown.length;
  if (rest > 0) return `${shown.join(", ")} and ${rest} more`;
  return shown.length > 1 ? `${shown.slice(0, -1).join(", ")} and ${shown.at(-1)}` : (shown[0] ?? "");
}
