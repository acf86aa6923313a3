// The daemon's HTTP, and the only way to it: answers, and streams of server-sent events that can be told who asks.
//
// EventSource sends no Authorization; a fetch that is read piece by piece does, and says why it was refused.

export interface Service {
  name: string; type: "daemon" | "oneshot" | "external" | "gate"; state: State; ready: boolean; wanted: boolean; pid: number | null;
  since: string; since_monotonic_ns: number; incarnation: number; restarts: number; bells?: Record<string, boolean>; outputs?: Record<string, string>;
  waiting_for: string[]; waiting_for_services: string[]; last_error: string | null; status_text: string | null;
  readiness_method: string | null; readiness_polling: string | null; time_to_ready_ns: number | null; past_runs?: PastRun[];
}
export interface PastRun {
  incarnation: number; started: string; started_monotonic_ns: number; wall_ns: number; time_to_ready_ns: number | null; cpu_user_ns: number;
  cpu_system_ns: number; peak_memory_bytes: number | null; oom_kills: number; end: string | null;
}
export interface Stack {
  stack: string; ready: boolean; started_up: boolean; shutting_down: boolean; hopeless?: string; may_command?: boolean; now_monotonic_ns: number; services: Service[];
}
export type State = "inactive" | "waiting" | "starting" | "ready" | "unready" | "stopping" | "backoff" | "completed" | "failed" | "blocked";
export interface Evidence { probe: string | null; place: number; port: number | null; pid: number | null; words: string | null }
export interface JournalEvent {
  sequence: number; time: string; monotonic_ns: number; kind: "state" | "bell" | "notice" | "stack"; service: string | null; incarnation?: number;
  from?: State; state?: State; bell?: string; event?: string; cause: string | null; evidence: Evidence | null;
}
export interface Events { run: string; first: number; last: number; missed: number; events: JournalEvent[]; since: number; more: boolean }
export interface EdgeTime { on: string; condition: string; required: boolean; holds_since_monotonic_ns: number | null }
export interface ServiceTimes {
  name: string; type: string; attempts: number; wanted_monotonic_ns: number | null; waiting_monotonic_ns: number | null; starting_monotonic_ns: number | null;
  started_monotonic_ns: number | null; ready_monotonic_ns: number | null; stopped_monotonic_ns: number | null; edges: EdgeTime[];
}
export interface Timeline { stack: string; now_monotonic_ns: number; begun_monotonic_ns: number | null; up_monotonic_ns: number | null; services: ServiceTimes[] }
export interface Why {
  stack: string; service: string | null; ready: boolean; headline: string; culprit: string | null;
  chain: { service: string; depth: number; state: State; for_ns: number; is_culprit: boolean; text: string }[];
  left_out: number; evidence: { what: string; text: string }[]; log: string[]; next: { text: string; in_ns: number | null }[]; help: string[];
}
export interface LogLine {
  sequence?: number; time?: string; service: string | null; incarnation?: number; stream?: "output" | "stdout" | "stderr"; line?: string;
  continued?: boolean; goes_on?: boolean; missed?: number | null; because?: string;
}

// A page that was written by `belfry report --html` carries the answers that it shows.
export interface Frozen { answers: Record<string, unknown> }
const block = document.getElementById("frozen");
export const frozen: Frozen | null = block?.textContent ? (JSON.parse(block.textContent) as Frozen) : null;

let bearer = "";
export function setBearer(token: string) { bearer = token; }
export const hasBearer = () => bearer !== "";

export class Refused extends Error {
  constructor(readonly status: number, message: string) { super(message); }
}

function headers(more: Record<string, string>): Record<string, string> {
  return bearer ? { ...more, Authorization: `Bearer ${bearer}` } : more;
}

async function refusal(response: Response): Promise<Refused> {
  let detail = `${response.status} ${response.statusText}`;
  try {
    const problem = (await response.json()) as { detail?: string };
    if (problem.detail) detail = problem.detail;
  } catch { /* it was no JSON: the status says enough */ }
  return new Refused(response.status, detail);
}

export async function get<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  if (frozen) {
    const answer = frozen.answers[path];
    if (answer === undefined) throw new Refused(404, "cannot show this: it is not in this file");
    return answer as Answer;
  }
  const response = await fetch(path, { headers: headers({ Accept: "application/json" }), signal: signal ?? AbortSignal.timeout(20_000), cache: "no-store" });
  if (!response.ok) throw await refusal(response);
  return (await response.json()) as Answer;
}

export async function getText(path: string, signal: AbortSignal): Promise<string> {
  if (frozen) throw new Refused(404, "cannot show this: it is not in this file");
  const response = await fetch(path, { headers: headers({ Accept: "text/plain" }), signal, cache: "no-store" });
  if (!response.ok) throw await refusal(response);
  return response.text();
}

export async function post(path: string): Promise<void> {
  const response = await fetch(path, { method: "POST", headers: headers({}) });
  if (!response.ok) throw await refusal(response);
}

export interface Message { id: string; event: string; data: string }

// Reads a stream to its end, `take` by `take`; throws where it breaks, is silent for too long or was refused.
export async function follow(path: string, lastId: string, signal: AbortSignal, take: (messages: Message[]) => void, begun?: () => void): Promise<void> {
  const stalled = new AbortController();
  const all = AbortSignal.any([signal, stalled.signal]);
  const alive = () => { clearTimeout(timer); timer = setTimeout(() => stalled.abort(), 45_000); };  // the daemon says something every 15 s
  let timer = setTimeout(() => stalled.abort(), 45_000);
  try {
    const more: Record<string, string> = { Accept: "text/event-stream" };
    if (lastId) more["Last-Event-ID"] = lastId;
    const response = await fetch(path, { headers: headers(more), signal: all, cache: "no-store" });
    if (!response.ok || !response.body) throw await refusal(response);
    begun?.();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      alive();
      const text = rest + value;
      const end = text.lastIndexOf("\n\n");
      rest = end < 0 ? text : text.slice(end + 2);
      if (end >= 0) take(messagesOf(text.slice(0, end)));
      if (rest.length > 4 << 20) throw new Error("a message without an end");
    }
  } finally {
    clearTimeout(timer);
  }
}

function messagesOf(text: string): Message[] {
  const found: Message[] = [];
  for (const part of text.split("\n\n")) {
    const message = { id: "", event: "message", data: "" };
    for (const line of part.split("\n")) {
      if (line.startsWith("data: ")) message.data += line.slice(6);
      else if (line.startsWith("id: ")) message.id = line.slice(4);
      else if (line.startsWith("event: ")) message.event = line.slice(7);
    }
    if (message.data) found.push(message);
  }
  return found;
}
