// A state has a shape and a colour, the same in lists, in the graph and on the clock: none is told by colour alone.
import type { State } from "./api";
import { toneOf } from "./model";

// In a square of 16, filled but where it is a stroke.
export const shapes: Record<State, { fill?: string; stroke?: string }> = {
  inactive: { stroke: "M8 3a5 5 0 1 0 0 10A5 5 0 0 0 8 3z" },
  waiting: { stroke: "M4.5 2.5h7M4.5 13.5h7M5.5 2.5c0 3.5 5 4 5 5.5s-5 2-5 5.5M10.500 2.5c0 3.5-5 4-5 5.5s5 2 5 5.5" },
  starting: { stroke: "M8 2.500a5.500 5.500 0 1 0 0 11a5.500 5.500 0 0 0 0-11z", fill: "M8 2.5a5.500 5.500 0 0 1 0 11z" },
  ready: { fill: "M8 1.500a6.500 6.500 0 1 0 0 13a6.500 6.500 0 0 0 0-13zM6.900 11.600L3.600 8.300L5 6.900L6.900 8.800L11 4.700L12.400 6.100z" },
  unready: { fill: "M8 1.500L15 14.200H1zM7.200 6v4h1.600V6zM7.200 11.200v1.600h1.600v-1.600z" },
  stopping: { stroke: "M3.500 3.500h9v9h-9z", fill: "M3.5 8h9v4.5h-9z" },
  backoff: { stroke: "M12.900 6.400A5.300 5.300 0 1 0 13.200 9.600M13.200 2.600V6.600H9.200" },
  completed: { fill: "M3.500 2h9A1.500 1.500 0 0 1 14 3.500v9A1.500 1.500 0 0 1 12.500 14h-9A1.500 1.500 0 0 1 2 12.500v-9A1.500 1.500 0 0 1 3.500 2zM6.900 11.600L3.600 8.300L5 6.900L6.900 8.800L11 4.700L12.400 6.100z" },
  failed: { fill: "M5.200 1.500h5.600L14.500 5.200v5.600L10.800 14.500H5.200L1.500 10.800V5.200zM5 6.200L6.800 8L5 9.800L6.200 11L8 9.200L9.800 11L11 9.800L9.200 8L11 6.200L9.800 5L8 6.800L6.200 5z" },
  blocked: { fill: "M8 1.500a6.500 6.500 0 1 0 0 13a6.500 6.500 0 0 0 0-13zM4 6.900h8v2.200H4z" },
};

export function StateIcon({ state, size = 16 }: { state: State; size?: number }) {
  const { fill, stroke } = shapes[state];
  return (
    <svg class={`state-icon tone-${toneOf[state]}${state === "starting" || state === "stopping" ? " turning" : ""}`} viewBox="0 0 16 16" width={size} height={size} aria-hidden="true">
      {stroke && <path d={stroke} fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" />}
      {fill && <path d={fill} fill="currentColor" fill-rule="evenodd" />}
    </svg>
  );
}

export function StateMark({ state }: { state: State }) {
  return <span class={`state-mark tone-${toneOf[state]}`}><StateIcon state={state} /> {state}</span>;
}

// Signs of buttons and of the journal: drawn, because not every system has a font with them.
const signs = {
  bell: "M8 1.500a1.200 1.200 0 0 1 1.200 1.200v.4A4.200 4.200 0 0 1 12.200 7.200V10.500L13.700 12.200V12.800H2.300V12.200L3.800 10.500V7.200A4.200 4.200 0 0 1 6.800 3.100V2.700A1.200 1.200 0 0 1 8 1.500zM6.400 13.500h3.200a1.600 1.600 0 0 1-3.200 0z",
  play: "M4 2.500L13 8L4 13.500z", pause: "M4 2.500h3v11h-3zM9 2.500h3v11h-3z", back: "M3 2.500h2v11h-2zM13 2.500v11L5.500 8z", next: "M11 2.500h2v11h-2zM3 2.500v11L10.500 8z", close: "M3.500 4.900L4.900 3.500L8 6.600L11.100 3.500L12.500 4.900L9.400 8L12.500 11.100L11.100 12.500L8 9.400L4.900 12.500L3.500 11.100L6.600 8z",
  up: "M8 3L13.500 11H2.500z", down: "M8 13L2.500 5h11z",
};
export function Sign({ of }: { of: keyof typeof signs }) {
  return <svg class="sign-icon" viewBox="0 0 16 16" width="13" height="13" aria-hidden="true"><path d={signs[of]} fill="currentColor" /></svg>;
}
