// Where one is: view, filter, service and moment are in the address, so that a link holds them.
import { signal } from "@preact/signals";
import { model, moment } from "./model";

export type View = "graph" | "services" | "service" | "logs" | "course" | "journal";
export const views: { view: View; title: string; key: string }[] = [
  { view: "graph", title: "Graph", key: "1" },
  { view: "services", title: "Services", key: "2" },
  { view: "logs", title: "Logs", key: "3" },
  { view: "course", title: "Start and stop", key: "4" },
  { view: "journal", title: "Journal", key: "5" },
];

export const view = signal<View>("graph");
export const service = signal("");  // the one of a page, the chosen one elsewhere
export const filter = signal("");
export const options = signal<Record<string, string>>({});  // what a view keeps besides: of logs, stream and services

const reserved = new Set(["s", "f", "t", "run"]);
export let linkedRun = "";

export function read() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const parameters = new URLSearchParams(query ?? "");
  const known = ["graph", "services", "service", "logs", "course", "journal"] as const;
  view.value = known.find((one) => one === path) ?? "graph";
  service.value = parameters.get("s") ?? "";
  filter.value = parameters.get("f") ?? "";
  const t = Number(parameters.get("t"));
  linkedRun = parameters.get("run") ?? "";
  moment.value = parameters.has("t") && Number.isFinite(t) && (!linkedRun || !model.run || linkedRun === model.run) ? t : null;
  options.value = Object.fromEntries([...parameters].filter(([name]) => !reserved.has(name)));
}

function address(): string {
  const parameters = new URLSearchParams();
  if (service.value) parameters.set("s", service.value);
  if (filter.value) parameters.set("f", filter.value);
  for (const [name, value] of Object.entries(options.value)) if (value) parameters.set(name, value);
  if (moment.value !== null) {
    parameters.set("t", moment.value.toFixed(0));
    if (model.run) parameters.set("run", model.run);
  }
  const query = parameters.toString();
  return `#/${view.value}${query ? `?${query}` : ""}`;
}

let writing: ReturnType<typeof setTimeout> | undefined;
// The address follows; what is dragged or typed makes no steps for the browser's "back".
export function write() {
  clearTimeout(writing);
  writing = setTimeout(() => { if (address() !== location.hash) history.replaceState(null, "", address()); }, 150);
}

export function go(to: View, more: { service?: string; filter?: string; options?: Record<string, string> } = {}) {
  clearTimeout(writing);
  view.value = to;
  service.value = more.service ?? "";
  filter.value = more.filter ?? "";
  options.value = more.options ?? {};
  if (address() !== location.hash) history.pushState(null, "", address());
}

export function link(to: View, name = ""): string {
  const parameters = new URLSearchParams();
  if (name) parameters.set("s", name);
  const query = parameters.toString();
  return `#/${to}${query ? `?${query}` : ""}`;
}
