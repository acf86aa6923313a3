// What changes something, and the question before it: it names who is affected.
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { frozen, get, post, setBearer, type Stack } from "./api";
import { connection, dependentsOf, missingOf, model, moment, reconnect, tick } from "./model";
import { Sign } from "./shapes";
import { plural, T, visible } from "./text";

export type Command = "start" | "stop" | "restart" | "kill" | "reload" | "shutdown";
export const asked = signal<{ command: Command; service: string } | null>(null);
export const asksToken = signal(false);

interface Note { id: number; text: string; bad: boolean }
export const notes = signal<Note[]>([]);
let noteId = 0;
export function note(text: string, bad = false) {
  const id = ++noteId;
  notes.value = [...notes.value.slice(-3), { id, text, bad }];
  if (!bad) setTimeout(() => { notes.value = notes.value.filter((one) => one.id !== id); }, 6000);
}

export const mayCommand = () => !frozen && connection.value === "live" && model.stack?.may_command === true;

export function allowed(command: Command, name: string): boolean {
  const service = model.byName.get(name);
  if (!service || moment.value !== null) return false;
  if (service.type === "external" || service.type === "gate") return false;
  const runs = ["starting", "ready", "unready", "stopping"].includes(service.state);
  if (command === "start") return !runs && service.state !== "waiting";
  if (command === "kill" || command === "reload") return runs;
  return command === "restart" || runs || ["waiting", "backoff", "blocked"].includes(service.state);
}

function effects(command: Command, name: string): { what: string; whom: string[] } {
  if (command === "shutdown") return { what: "Everything is stopped, and belfry ends.", whom: model.services.filter((one) => one.pid !== null).map((one) => one.name) };
  if (command === "start") {
    const missing = missingOf(name);
    return { what: missing.length ? "What it requires is started first:" : "Everything that it requires is up.", whom: missing };
  }
  const dependents = dependentsOf(name);
  if (command === "stop") return { what: dependents.length ? "Those who depend on it are stopped first:" : "Nobody who runs depends on it.", whom: dependents };
  if (command === "restart") return { what: dependents.length ? "Those who depend on it are stopped first and brought back:" : "Nobody who runs depends on it.", whom: dependents };
  if (command === "kill") return { what: dependents.length ? "It is killed at once, without a chance to clean up. Those who depend on it lose it:" : "It is killed at once, without a chance to clean up. Nobody who runs depends on it.", whom: dependents };
  return { what: "It is told to read its configuration again. Nobody else is affected.", whom: [] };
}

async function perform(command: Command, name: string) {
  const what = command === "shutdown" ? "shutdown" : `${command} of ${visible(name)}`;
  note(`${what}: asked for`);
  try {
    await post(command === "shutdown" ? "/v1/shutdown" : `/v1/services/${encodeURIComponent(name)}/${command}`);
    note(`${what}: done`);
  } catch (error) {
    note(`${what}: ${visible(error instanceof Error ? error.message : String(error))}`, true);
  }
}

export function Confirmation() {
  const dialog = useRef<HTMLDialogElement>(null);
  const question = asked.value;
  useEffect(() => { if (question && !dialog.current!.open) dialog.current!.showModal(); }, [question]);
  if (!question) return null;
  const { command, service } = question;
  const { what, whom } = effects(command, service);
  const close = () => { dialog.current?.close(); asked.value = null; };
  return (
    <dialog ref={dialog} class="ask" aria-labelledby="ask-title" onClose={() => { asked.value = null; }}>
      <h2 id="ask-title">{command[0].toUpperCase() + command.slice(1)} <T s={command === "shutdown" ? model.stack?.stack : service} />?</h2>
      <p>{what}</p>
      {whom.length > 0 && <ul class="affected" tabIndex={0} aria-label="Who is affected">{whom.slice(0, 200).map((one) => <li key={one}><T s={one} /></li>)}{whom.length > 200 && <li>and {whom.length - 200} more</li>}</ul>}
      <div class="buttons">
        <button type="button" autofocus onClick={close}>Leave it</button>
        <button type="button" class={command === "start" || command === "reload" ? "primary" : "danger"} onClick={() => { close(); void perform(command, service); }}>
          {command[0].toUpperCase() + command.slice(1)}{whom.length > 0 && ` (${plural(whom.length + (command === "shutdown" ? 0 : 1), "service")})`}
        </button>
      </div>
    </dialog>
  );
}

export function TokenDialog() {
  const dialog = useRef<HTMLDialogElement>(null);
  const [refused, setRefused] = useState("");
  useEffect(() => { if (asksToken.value && !dialog.current!.open) dialog.current!.showModal(); }, [asksToken.value]);
  if (!asksToken.value) return null;
  const close = () => { dialog.current?.close(); asksToken.value = false; setRefused(""); };
  const submit = async (event: Event) => {
    event.preventDefault();
    const field = dialog.current!.querySelector("input")!;
    setBearer(field.value.trim());
    try {
      const stack = await get<Stack>("/v1/services");
      if (!stack.may_command) throw new Error("belfry takes no commands with this token");
      close();
      reconnect();
    } catch (error) {
      setBearer("");
      setRefused(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <dialog ref={dialog} class="ask" aria-labelledby="token-title" onClose={() => { asksToken.value = false; }}>
      <form onSubmit={submit}>
        <h2 id="token-title">Commands need the token</h2>
        <p>It is in the file that <code>control.token_file</code> names, and is forgotten when this page is left. Without a token: <code>belfry dashboard</code>.</p>
        <label>Token <input type="password" autocomplete="off" required /></label>
        {refused && <p class="refusal" role="alert"><T s={refused} /></p>}
        <div class="buttons"><button type="button" onClick={close}>Leave it</button><button type="submit" class="primary">Use it</button></div>
      </form>
    </dialog>
  );
}

export function Actions({ name }: { name: string }) {
  tick.value;
  const service = model.byName.get(name);
  if (frozen || !service || service.type === "external" || service.type === "gate") return null;
  if (moment.value !== null) return <p class="soft">This is a moment of the past: commands are for now.</p>;
  if (!mayCommand()) {
    return connection.value === "live" ? <p class="soft">Commands need <button type="button" class="link" onClick={() => { asksToken.value = true; }}>the token</button>, or <code>belfry dashboard</code>.</p> : null;
  }
  return (
    <div class="actions" role="group" aria-label="Commands">
      {(["start", "stop", "restart", "reload", "kill"] as const).map((command) => (
        <button type="button" key={command} disabled={!allowed(command, name)} onClick={() => { asked.value = { command, service: name }; }}>{command[0].toUpperCase() + command.slice(1)}…</button>
      ))}
    </div>
  );
}

export function Notes() {
  return (
    <div class="notes" role="status" aria-live="polite">
      {notes.value.map((one) => (
        <p key={one.id} class={one.bad ? "bad" : ""}>{one.text} <button type="button" class="plain" aria-label="Close this message" onClick={() => { notes.value = notes.value.filter((other) => other !== one); }}><Sign of="close" /></button></p>
      ))}
    </div>
  );
}

