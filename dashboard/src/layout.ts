// A graph in layers, from left to right: who is waited for stands left of who waits.
//
// The steps of Sugiyama, each in its simplest form, because a thousand services must be placed between two frames:
// layers by the longest path, medians for the order within one, and a pull towards the neighbours for the places.
export interface Placed { x: number; y: number; layer: number; place: number }
export interface Line { from: string; to: string; points: number[] }  // x, y, x, y…
export interface Layout { nodes: Map<string, Placed>; lines: Line[]; layers: string[][]; width: number; height: number }

export const nodeWidth = 184, nodeHeight = 38;
const gapX = 74, gapY = 14, bend = 14;
const rowOfAlone = 6;

interface Vertex { name: string | null; layer: number; height: number; before: Vertex[]; after: Vertex[]; y: number; order: number; key: number }

export function layOut(nodes: string[], edgesOf: (name: string) => string[]): Layout {
  const known = new Set(nodes);
  const edges: [string, string][] = [];
  const touched = new Set<string>();
  for (const to of nodes) {
    for (const from of new Set(edgesOf(to))) {
      if (!known.has(from) || from === to) continue;
      edges.push([from, to]);
      touched.add(from).add(to);
    }
  }
  const layerOf = layersOf(nodes.filter((name) => touched.has(name)), edges);
  const { layers, chains } = vertices(layerOf, edges);
  for (let sweep = 0; sweep < 12; sweep++) order(layers, sweep % 2 === 0);
  place(layers);
  return finish(layers, chains, nodes.filter((name) => !touched.has(name)));
}

function layersOf(nodes: string[], edges: [string, string][]): Map<string, number> {
  const after = new Map<string, string[]>(nodes.map((name) => [name, []])), before = new Map<string, string[]>(nodes.map((name) => [name, []]));
  for (const [from, to] of edges) { after.get(from)!.push(to); before.get(to)!.push(from); }
  const open = new Map(nodes.map((name) => [name, before.get(name)!.length]));
  const sorted: string[] = [], layer = new Map<string, number>();
  const todo = nodes.filter((name) => open.get(name) === 0);
  for (const name of todo) layer.set(name, 0);
  while (todo.length) {
    const name = todo.shift()!;
    sorted.push(name);
    for (const next of after.get(name)!) {
      layer.set(next, Math.max(layer.get(next) ?? 0, layer.get(name)! + 1));
      open.set(next, open.get(next)! - 1);
      if (open.get(next) === 0) todo.push(next);
    }
  }
  // Whoever could stand nearer to those who wait for it does, so that lines are short.
  for (const name of sorted.reverse()) {
    const next = after.get(name)!;
    if (next.length && !before.get(name)!.length) layer.set(name, Math.min(...next.map((one) => layer.get(one)!)) - 1);
  }
  return layer;
}

function vertices(layerOf: Map<string, number>, edges: [string, string][]) {
  const layers: Vertex[][] = [];
  const vertex = (name: string | null, layer: number): Vertex => {
    const one = { name, layer, height: name === null ? bend : nodeHeight, before: [], after: [], y: 0, order: 0, key: 0 };
    (layers[layer] ??= []).push(one);
    return one;
  };
  const of = new Map<string, Vertex>();
  for (const [name, layer] of layerOf) of.set(name, vertex(name, layer));
  const chains: { from: string; to: string; chain: Vertex[] }[] = [];
  for (const [from, to] of edges) {
    const chain = [of.get(from)!];
    for (let layer = layerOf.get(from)! + 1; layer < layerOf.get(to)!; layer++) chain.push(vertex(null, layer));
    chain.push(of.get(to)!);
    for (let i = 1; i < chain.length; i++) { chain[i - 1].after.push(chain[i]); chain[i].before.push(chain[i - 1]); }
    chains.push({ from, to, chain });
  }
  for (let i = 0; i < layers.length; i++) (layers[i] ??= []).forEach((one, order) => { one.order = order; });
  return { layers, chains };
}

function order(layers: Vertex[][], forwards: boolean) {
  for (let i = 0; i < layers.length; i++) {
    const layer = layers[forwards ? i : layers.length - 1 - i];
    for (const one of layer) {
      const neighbours = (forwards ? one.before : one.after).map((other) => other.order).sort((a, b) => a - b);
      const middle = neighbours.length >> 1;
      one.key = !neighbours.length ? one.order : neighbours.length % 2 ? neighbours[middle] : (neighbours[middle - 1] + neighbours[middle]) / 2;
    }
    layer.sort((a, b) => a.key - b.key || a.order - b.order);
    layer.forEach((one, place) => { one.order = place; });
  }
}

// Every vertex is pulled to the middle of its neighbours, and pushes those beside it away.
function place(layers: Vertex[][]) {
  for (const layer of layers) {
    let y = 0;
    for (const one of layer) { one.y = y + one.height / 2; y += one.height + gapY; }
    const middle = y / 2;
    for (const one of layer) one.y -= middle;
  }
  for (let sweep = 0; sweep < 14; sweep++) {
    for (let i = 0; i < layers.length; i++) {
      const layer = layers[sweep % 2 ? layers.length - 1 - i : i];
      settle(layer, layer.map((one) => {
        const around = sweep % 2 ? one.after : one.before;
        const all = around.length ? around : [...one.before, ...one.after];
        return all.length ? all.reduce((sum, other) => sum + other.y, 0) / all.length : one.y;
      }));
    }
  }
}

// The places nearest to the wishes (least squares) that keep the order and the distances: neighbours who push
// each other move as one block.
function settle(layer: Vertex[], wishes: number[]) {
  const blocks: { begin: number; end: number; sum: number; weight: number }[] = [];
  const shift: number[] = [];
  let total = 0;
  layer.forEach((one, i) => {
    if (i) total += (layer[i - 1].height + one.height) / 2 + gapY;
    shift.push(total);
    let block = { begin: i, end: i + 1, sum: wishes[i] - total, weight: 1 };
    for (let last = blocks.at(-1); last && last.sum / last.weight > block.sum / block.weight; last = blocks.at(-1)) {
      block = { begin: last.begin, end: block.end, sum: last.sum + block.sum, weight: last.weight + block.weight };
      blocks.pop();
    }
    blocks.push(block);
  });
  for (const block of blocks) {
    for (let i = block.begin; i < block.end; i++) layer[i].y = block.sum / block.weight + shift[i];
  }
}

function finish(layers: Vertex[][], chains: { from: string; to: string; chain: Vertex[] }[], alone: string[]): Layout {
  const nodes = new Map<string, Placed>();
  let top = Infinity, bottom = -Infinity;
  for (const layer of layers) for (const one of layer) { top = Math.min(top, one.y - one.height / 2); bottom = Math.max(bottom, one.y + one.height / 2); }
  if (!layers.length) top = bottom = 0;
  const stepX = nodeWidth + gapX, x = (layer: number) => layer * stepX + nodeWidth / 2;
  const named: string[][] = layers.map((layer) => layer.filter((one) => one.name !== null).map((one, place) => {
    nodes.set(one.name!, { x: x(one.layer), y: one.y - top, layer: one.layer, place });
    return one.name!;
  }));
  const lines = chains.map(({ from, to, chain }) => ({ from, to, points: chain.flatMap((one) => one.name === null
    ? [x(one.layer) - nodeWidth / 2, one.y - top, x(one.layer) + nodeWidth / 2, one.y - top]
    : [x(one.layer) + (one === chain[0] ? nodeWidth / 2 : -nodeWidth / 2), one.y - top]) }));
  let height = bottom - top;
  const columns = Math.max(layers.length, Math.min(alone.length, Math.max(rowOfAlone, Math.ceil(Math.sqrt(alone.length / 3)))));
  const begin = height + (layers.length ? 44 : 0);
  alone.forEach((name, i) => {
    const column = i % columns, row = Math.floor(i / columns);
    const y = begin + row * (nodeHeight + gapY) + nodeHeight / 2;
    nodes.set(name, { x: column * (nodeWidth + gapX / 2) + nodeWidth / 2, y, layer: column, place: (named[column] ??= []).length });
    named[column].push(name);
    height = y + nodeHeight / 2;
  });
  const width = Math.max(layers.length * stepX - gapX, alone.length ? columns * (nodeWidth + gapX / 2) - gapX / 2 : 0, nodeWidth);
  return { nodes, lines, layers: named, width, height };
}
