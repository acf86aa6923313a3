import { useEffect, useState } from "preact/hooks";

export function useMedia(query: string): boolean {
  const [matches, setMatches] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const told = () => setMatches(list.matches);
    told();
    list.addEventListener("change", told);
    return () => list.removeEventListener("change", told);
  }, [query]);
  return matches;
}

// What is drawn again every second, because it says for how long something is so.
export function useSeconds(on: boolean) {
  const [, set] = useState(0);
  useEffect(() => {
    if (!on) return;
    const timer = setInterval(() => { if (!document.hidden) set((n) => n + 1); }, 1000);
    return () => clearInterval(timer);
  }, [on]);
}
