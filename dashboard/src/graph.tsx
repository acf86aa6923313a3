// The graph: drawn on a canvas, so that a thousand services move smoothly; walked through with the arrow keys.
import { useEffect, useRef } from "preact/hooks";
import type { State } from "./api";
import { layOut, nodeHeight, nodeWidth, type Layout } from "./layout";
import { useSeconds } from "./media";
import { at, isUp, model, moment, now, sentence, shownNow, tick, toneOf, type Edge } from "./model";
import { filter, go, service, write } from "./place";
import { shapes, Sign } from "./shapes";
import { span, T, visible } from "./text";

const paths = new Map<State, { fill?: Path2D; stroke?: Path2D }>();
for (const [state, { fill, stroke }] of Object.entries(shapes) as [State, { fill?: string; stroke?: string }][]) {
  paths.set(state, { fill: fill ? new Path2D(fill) : undefined, stroke: stroke ? new Path2D(stroke) : undefined });
}

interface Colours { [name: string]: string }
const toneNames = ["good", "busy", "warn", "bad", "off"] as const;
function coloursOf(element: Element): Colours {
  const style = getComputedStyle(element);
  const found: Colours = {};
  for (const name of [...toneNames, "ink", "soft", "card", "line", "accent", "back"]) found[name] = style.getPropertyValue(`--${name}`).trim();
  return found;
}

const still = matchMedia("(prefers-reduced-motion: reduce)");

// Owner: the component. It draws when something has changed, and in every frame only while something is in motion.
class Picture {
  private layout: Layout = { nodes: new Map(), lines: [], layers: [], width: 1, height: 1 };
  private curves: { path: Path2D; from: string; to: string; edge: Edge | undefined; box: [number, number, number, number]; middle: [number, number] }[] = [];
  private shape = -1;
  private camera = { x: 0, y: 0, k: 1 };
  private frame = 0;
  private colours: Colours = {};
  private texts = new Map<string, string>();
  private moved = false;  // by whoever looks at it: then it stays where it was put
  private width = 0;
  private height = 0;
  chosen = "";
  private near = new Set<string>();

  constructor(private canvas: HTMLCanvasElement, private pick: (name: string, open: boolean) => void) {}

  begin(): () => void {
    const resized = new ResizeObserver(() => this.resize());
    resized.observe(this.canvas);
    const repaint = () => { this.colours = coloursOf(this.canvas); this.ask(); };
    const scheme = matchMedia("(prefers-color-scheme: dark)");
    scheme.addEventListener("change", repaint);
    const themed = new MutationObserver(repaint);
    themed.observe(document.documentElement, { attributes: true });
    const ends = this.listen();
    this.resize();
    repaint();
    return () => { resized.disconnect(); themed.disconnect(); scheme.removeEventListener("change", repaint); cancelAnimationFrame(this.frame); ends(); };
  }

  update() {
    if (this.shape !== model.shape) {
      this.shape = model.shape;
      this.layout = layOut(model.services.map((one) => one.name), (name) => (model.edges.get(name) ?? []).map((edge) => edge.on));
      this.texts.clear();
      this.curves = this.layout.lines.map(({ from, to, points }) => curveOf(from, to, points));
      if (!this.moved) this.fit();
    }
    this.ask();
  }

  choose(name: string, show: boolean) {
    this.chosen = name;
    this.near = new Set();
    for (const [next, of] of [[(one: string) => (model.edges.get(one) ?? []).map((edge) => edge.on), name], [(one: string) => model.dependents.get(one) ?? [], name]] as [(one: string) => string[], string][]) {
      const todo = [of];
      const seen = new Set(todo);
      while (todo.length) for (const one of next(todo.pop()!)) if (!seen.has(one)) { seen.add(one); todo.push(one); }
      for (const one of seen) this.near.add(one);
    }
    const place = this.layout.nodes.get(name);
    if (show && place) {
      const { k } = this.camera, margin = 20;
      const left = place.x * k + this.camera.x - nodeWidth * k / 2, top = place.y * k + this.camera.y - nodeHeight * k / 2;
      if (left < margin) this.camera.x += margin - left;
      if (left + nodeWidth * k > this.width - margin) this.camera.x -= left + nodeWidth * k - this.width + margin;
      if (top < margin) this.camera.y += margin - top;
      if (top + nodeHeight * k > this.height - margin) this.camera.y -= top + nodeHeight * k - this.height + margin;
    }
    this.ask();
  }

  neighbour(key: string): string {
    const { nodes, layers } = this.layout;
    const here = nodes.get(this.chosen);
    if (!here) return layers.find((one) => one.length)?.[0] ?? "";
    const nearest = (names: string[]) => names.reduce((best, one) => {
      const [a, b] = [nodes.get(best), nodes.get(one)];
      return !b ? best : !a || Math.abs(b.y - here.y) < Math.abs(a.y - here.y) ? one : best;
    }, "");
    if (key === "ArrowUp") return layers[here.layer][here.place - 1] ?? this.chosen;
    if (key === "ArrowDown") return layers[here.layer][here.place + 1] ?? this.chosen;
    const step = key === "ArrowLeft" ? -1 : 1;
    const tied = step < 0 ? (model.edges.get(this.chosen) ?? []).map((edge) => edge.on) : model.dependents.get(this.chosen) ?? [];
    return nearest(tied) || nearest(layers[here.layer + step] ?? []) || this.chosen;
  }

  fit() {
    if (!this.width || !this.layout.nodes.size) return;
    this.moved = false;
    const margin = 24;
    const whole = Math.min(1.25, (this.width - 2 * margin) / this.layout.width, (this.height - 2 * margin) / this.layout.height);
    // On a small screen names that can be read are worth more than the whole: then who is waited for is in the middle.
    const k = this.width < 700 && whole < 0.5 ? 0.6 : Math.max(whole, 0.05);
    const culprit = k > whole ? this.layout.nodes.get(sentence.value.culprit ?? "") : undefined;
    const place = (size: number, room: number, at: number | undefined) =>
      size * k <= room ? (room - size * k) / 2 : Math.min(margin, Math.max(room - margin - size * k, room / 2 - (at ?? 0) * k));
    this.camera = { k, x: place(this.layout.width, this.width, culprit?.x), y: place(this.layout.height, this.height, culprit?.y) };
    this.ask();
  }

  zoom(by: number, x = this.width / 2, y = this.height / 2) {
    this.moved = true;
    const k = Math.min(2.5, Math.max(0.04, this.camera.k * by)), ratio = k / this.camera.k;
    this.camera = { k, x: x - (x - this.camera.x) * ratio, y: y - (y - this.camera.y) * ratio };
    this.ask();
  }

  private resize() {
    const box = this.canvas.getBoundingClientRect();
    this.width = box.width;
    this.height = box.height;
    this.canvas.width = Math.round(box.width * devicePixelRatio);
    this.canvas.height = Math.round(box.height * devicePixelRatio);
    if (!this.moved) this.fit();
    this.draw(performance.now());
  }

  private listen(): () => void {
    const pointers = new Map<number, { x: number; y: number }>();
    let moved = 0;
    const down = (event: PointerEvent) => { pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY }); moved = 0; this.canvas.setPointerCapture(event.pointerId); };
    const move = (event: PointerEvent) => {
      const was = pointers.get(event.pointerId);
      if (!was) { this.canvas.style.cursor = this.hit(event.offsetX, event.offsetY) ? "pointer" : "grab"; return; }
      const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
      if (other) this.zoom(Math.hypot(event.offsetX - other.x, event.offsetY - other.y) / Math.max(1, Math.hypot(was.x - other.x, was.y - other.y)), other.x, other.y);
      else { this.camera.x += event.offsetX - was.x; this.camera.y += event.offsetY - was.y; this.moved = true; }
      moved += Math.abs(event.offsetX - was.x) + Math.abs(event.offsetY - was.y);
      pointers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
      this.ask();
    };
    const up = (event: PointerEvent) => {
      const was = pointers.delete(event.pointerId);
      if (!was || moved > 6 || event.type === "pointercancel") return;
      const name = this.hit(event.offsetX, event.offsetY);
      this.pick(name, name !== "" && name === this.chosen);
    };
    const wheel = (event: WheelEvent) => {
      event.preventDefault();
      this.zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)), event.offsetX, event.offsetY);
    };
    this.canvas.addEventListener("pointerdown", down);
    this.canvas.addEventListener("pointermove", move);
    this.canvas.addEventListener("pointerup", up);
    this.canvas.addEventListener("pointercancel", up);
    this.canvas.addEventListener("wheel", wheel, { passive: false });
    return () => this.canvas.removeEventListener("wheel", wheel);
  }

  private hit(px: number, py: number): string {
    const x = (px - this.camera.x) / this.camera.k, y = (py - this.camera.y) / this.camera.k;
    for (const [name, place] of this.layout.nodes) {
      if (Math.abs(place.x - x) <= nodeWidth / 2 && Math.abs(place.y - y) <= nodeHeight / 2) return name;
    }
    return "";
  }

  private ask() { if (!this.frame) this.frame = requestAnimationFrame((time) => { this.frame = 0; this.draw(time); }); }

  private draw(time: number) {
    const context = this.canvas.getContext("2d");
    if (!context || !this.width) return;
    const { x, y, k } = this.camera, ratio = devicePixelRatio;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.setTransform(k * ratio, 0, 0, k * ratio, x * ratio, y * ratio);
    const t = moment.value;
    const states = new Map<string, State>();
    for (const name of this.layout.nodes.keys()) states.set(name, at(name, t).state);
    const seen: [number, number, number, number] = [-x / k, -y / k, (this.width - x) / k, (this.height - y) / k];
    const words = filter.value.toLowerCase();
    const dimmed = (name: string) => words !== "" && !name.toLowerCase().includes(words);
    const inMotion = this.drawLines(context, states, seen, time, dimmed);
    for (const [name, place] of this.layout.nodes) {
      if (place.x + nodeWidth < seen[0] || place.x - nodeWidth > seen[2] || place.y + nodeHeight < seen[1] || place.y - nodeHeight > seen[3]) continue;
      this.drawNode(context, name, place.x - nodeWidth / 2, place.y - nodeHeight / 2, states.get(name)!, t, dimmed(name));
    }
    if (inMotion && !still.matches) this.ask();
  }

  private drawLines(context: CanvasRenderingContext2D, states: Map<string, State>, seen: number[], time: number, dimmed: (name: string) => boolean): boolean {
    let inMotion = false;
    const culprit = sentence.value.culprit;
    for (const curve of this.curves) {
      const [left, top, right, bottom] = curve.box;
      if (right < seen[0] || left > seen[2] || bottom < seen[1] || top > seen[3]) continue;
      const [from, to] = [states.get(curve.from)!, states.get(curve.to)!];
      const waits = (to === "waiting" || to === "blocked") && !isUp(from);
      const chosen = this.chosen !== "" && this.near.has(curve.from) && this.near.has(curve.to);
      context.globalAlpha = dimmed(curve.from) && dimmed(curve.to) ? 0.15 : this.chosen && !chosen ? 0.3 : 1;
      context.strokeStyle = waits ? this.colours[to === "blocked" ? "bad" : curve.from === culprit && toneOf[from] === "warn" ? "warn" : "busy"] : chosen ? this.colours.accent : this.colours.line;
      context.lineWidth = (waits || chosen ? 2 : 1.4) / Math.max(this.camera.k, 0.35);
      context.setLineDash(waits ? [7, 5] : curve.edge?.required === false ? [3, 4] : []);
      if (waits) { context.lineDashOffset = still.matches ? 0 : -(time / 40) % 12; inMotion = true; }
      context.stroke(curve.path);
      const label = curve.edge && curve.edge.condition !== "ready" ? curve.edge.condition : curve.edge?.required === false ? "optional" : "";
      if (label && this.camera.k > 0.62) this.drawLabel(context, visible(label), curve.middle);
    }
    context.setLineDash([]);
    context.globalAlpha = 1;
    return inMotion;
  }

  private drawLabel(context: CanvasRenderingContext2D, label: string, [x, y]: [number, number]) {
    context.font = "10.5px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    const text = this.cut(context, label, 66, "label ");
    const width = context.measureText(text).width + 6;
    context.fillStyle = this.colours.back;
    context.fillRect(x - width / 2, y - 7, width, 14);
    context.fillStyle = this.colours.soft;
    context.fillText(text, x, y);
  }

  private drawNode(context: CanvasRenderingContext2D, name: string, x: number, y: number, state: State, t: number | null, dimmed: boolean) {
    const tone = this.colours[toneOf[state]], { k } = this.camera;
    const type = model.byName.get(name)?.type;
    context.globalAlpha = dimmed ? 0.2 : this.chosen && !this.near.has(name) ? 0.45 : 1;
    context.beginPath();
    context.roundRect(x, y, nodeWidth, nodeHeight, type === "gate" ? nodeHeight / 2 : type === "oneshot" ? 2 : 8);
    context.fillStyle = k < 0.3 ? tone : this.colours.card;
    context.fill();
    context.strokeStyle = name === this.chosen ? this.colours.accent : tone;
    context.lineWidth = name === this.chosen ? 3.5 / Math.max(0.5, k) : 1.6;
    context.setLineDash(type === "external" ? [5, 3] : []);
    context.stroke();
    context.setLineDash([]);
    if (k >= 0.3) this.drawInside(context, name, x, y, state, tone, t);
    context.globalAlpha = 1;
  }

  private drawInside(context: CanvasRenderingContext2D, name: string, x: number, y: number, state: State, tone: string, t: number | null) {
    const { fill, stroke } = paths.get(state)!;
    context.save();
    context.translate(x + 10, y + nodeHeight / 2 - 9);
    context.scale(18 / 16, 18 / 16);
    context.fillStyle = context.strokeStyle = tone;
    context.lineWidth = 1.6;
    if (stroke) context.stroke(stroke);
    if (fill) context.fill(fill, "evenodd");
    context.restore();
    context.textAlign = "left";
    context.textBaseline = "middle";
    context.font = "600 13px system-ui, sans-serif";
    context.fillStyle = this.colours.ink;
    context.fillText(this.cut(context, visible(name), nodeWidth - 48, ""), x + 36, y + 13);
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = this.colours.soft;
    const since = at(name, t).since;
    const quiet = isUp(state) || state === "inactive";
    context.fillText(quiet ? state : `${state} ${span(shownNow() - since)}`, x + 36, y + 27.5);
  }

  private cut(context: CanvasRenderingContext2D, text: string, room: number, kind: string): string {
    const known = this.texts.get(kind + text);
    if (known !== undefined) return known;
    let shown = text;
    if (context.measureText(text).width > room) {
      let length = Math.min(text.length, 60);
      while (length > 1 && context.measureText(text.slice(0, length) + "…").width > room) length--;
      shown = text.slice(0, length) + "…";
    }
    this.texts.set(kind + text, shown);
    return shown;
  }
}

function curveOf(from: string, to: string, points: number[]) {
  const path = new Path2D();
  path.moveTo(points[0], points[1]);
  let top = points[1], bottom = points[1];
  for (let i = 2; i < points.length; i += 2) {
    const [ax, ay, bx, by] = [points[i - 2], points[i - 1], points[i], points[i + 1]];
    if (ay === by) path.lineTo(bx, by);
    else path.bezierCurveTo(ax + (bx - ax) / 2, ay, bx - (bx - ax) / 2, by, bx, by);
    top = Math.min(top, by);
    bottom = Math.max(bottom, by);
  }
  const edge = model.edges.get(to)?.find((one) => one.on === from);
  const n = points.length;
  const middle: [number, number] = [(points[n - 4] + points[n - 2]) / 2, (points[n - 3] + points[n - 1]) / 2];
  return { path, from, to, edge, box: [points[0], top, points[n - 2], bottom] as [number, number, number, number], middle };
}

export function Graph() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const picture = useRef<Picture | null>(null);
  tick.value;
  moment.value;
  filter.value;
  const chosen = service.value;
  const choose = (name: string) => { service.value = name; write(); };

  useEffect(() => {
    picture.current = new Picture(canvas.current!, (name, open) => (open ? go("service", { service: name }) : choose(name)));
    const end = picture.current.begin();
    return end;
  }, []);
  useEffect(() => { picture.current?.update(); });
  useEffect(() => { picture.current?.choose(chosen, chosen !== ""); }, [chosen, model.shape]);

  const keys = (event: KeyboardEvent) => {
    const it = picture.current!;
    if (event.key.startsWith("Arrow") && !event.altKey && !event.metaKey) { const next = it.neighbour(event.key); if (next) choose(next); }
    else if (event.key === "Enter" && chosen) go("service", { service: chosen });
    else if (event.key === "+" || event.key === "=") it.zoom(1.25);
    else if (event.key === "-") it.zoom(0.8);
    else if (event.key === "0") it.fit();
    else if (event.key === "Escape" && chosen) choose("");
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div class="graph">
      <div class="graph-walk" role="listbox" tabIndex={0} aria-label="Graph of services. Arrow keys follow who waits for whom, Enter opens a service."
        aria-activedescendant={chosen ? "graph-chosen" : undefined} onKeyDown={keys}>
        <canvas ref={canvas} aria-hidden="true" />
        <div class="unseen" role="option" id="graph-chosen" aria-selected="true" aria-label={chosen ? description(chosen) : "no service is chosen"} />
      </div>
      <div class="graph-tools">
        <button type="button" onClick={() => picture.current?.zoom(1.25)} aria-label="Nearer">+</button>
        <button type="button" onClick={() => picture.current?.zoom(0.8)} aria-label="Farther">−</button>
        <button type="button" onClick={() => picture.current?.fit()}>Whole</button>
      </div>
      {chosen !== "" && model.byName.has(chosen) && <Card name={chosen} close={() => choose("")} />}
    </div>
  );
}

function description(name: string): string {
  const shown = at(name, moment.value);
  const waits = (model.edges.get(name) ?? []).map((edge) => `${visible(edge.on)} ${visible(edge.condition)}`);
  return `${visible(name)}, ${shown.state} for ${span(shownNow() - shown.since)}${waits.length ? `, depends on ${waits.join(", ")}` : ", depends on nobody"}`;
}

function Card({ name, close }: { name: string; close: () => void }) {
  tick.value;
  useSeconds(moment.value === null);
  const shown = at(name, moment.value);
  const edges = model.edges.get(name) ?? [], dependents = model.dependents.get(name) ?? [];
  return (
    <aside class="card graph-card" aria-label="The chosen service">
      <header><strong><T s={name} /></strong> <button type="button" class="plain" aria-label="Close" onClick={close}><Sign of="close" /></button></header>
      <p class={`tone-${toneOf[shown.state]}`}>{shown.state} for {span((moment.value ?? now()) - shown.since)}</p>
      {shown.cause && <p class="cause"><T s={shown.cause} /></p>}
      {edges.length > 0 && <p>waits for {edges.slice(0, 6).map((edge, i) => <span key={edge.on}>{i > 0 && ", "}<button type="button" class="link" onClick={() => { service.value = edge.on; write(); }}><T s={edge.on} /></button> <small>{visible(edge.condition)}{edge.required ? "" : ", optional"}</small></span>)}{edges.length > 6 && ` and ${edges.length - 6} more`}</p>}
      {dependents.length > 0 && <p>waited for by {dependents.slice(0, 6).map((one, i) => <span key={one}>{i > 0 && ", "}<button type="button" class="link" onClick={() => { service.value = one; write(); }}><T s={one} /></button></span>)}{dependents.length > 6 && ` and ${dependents.length - 6} more`}</p>}
      <button type="button" onClick={() => go("service", { service: name })}>Open</button>
    </aside>
  );
}
