// Of a long list only the rows that can be seen are there.
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

export interface RowsProps {
  count: number; height: number; row: (index: number) => ComponentChildren; class?: string; label: string; role?: "grid" | "log" | "list";
  chosen?: number; onChoose?: (index: number) => void; onOpen?: (index: number) => void; follow?: boolean; onFollow?: (follow: boolean) => void;
  header?: ComponentChildren; columns?: number; id: string; wide?: boolean;
}

export function Rows(props: RowsProps) {
  const { count, height, row, chosen, onChoose, onOpen, follow, onFollow, header, id } = props;
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const [room, setRoom] = useState(600);
  const pinned = useRef(false);

  useLayoutEffect(() => {
    const element = box.current!;
    const resized = new ResizeObserver(() => setRoom(element.clientHeight));
    resized.observe(element);
    setRoom(element.clientHeight);
    return () => resized.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (!follow) return;
    pinned.current = true;
    box.current!.scrollTop = count * height;
    setTop(box.current!.scrollTop);
  });
  useEffect(() => {
    if (chosen === undefined || chosen < 0) return;
    const element = box.current!, head = header ? height : 0;
    if (chosen * height < element.scrollTop) element.scrollTop = chosen * height;
    else if ((chosen + 1) * height + head > element.scrollTop + element.clientHeight) element.scrollTop = (chosen + 1) * height + head - element.clientHeight;
  }, [chosen]);

  const scrolled = () => {
    const element = box.current;
    if (!element) return;  // told of a list that has gone
    const asked = pinned.current;
    pinned.current = false;
    if (!asked) {
      const atEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - height;
      if (follow !== undefined && atEnd !== follow) onFollow?.(atEnd);
    }
    setTop(element.scrollTop);
  };
  const keys = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.floor(room / height) - 1), here = chosen ?? -1;
    const to = { ArrowDown: here + 1, ArrowUp: here - 1, PageDown: here + page, PageUp: here - page, Home: 0, End: count - 1 }[event.key];
    if (to !== undefined && count && onChoose && !event.altKey && !event.metaKey) onChoose(Math.min(count - 1, Math.max(0, to)));
    else if (event.key === "Enter" && here >= 0 && onOpen && event.target === box.current) onOpen(here);
    else return;
    event.preventDefault();
  };
  const first = Math.max(0, Math.floor(top / height) - 8), last = Math.min(count, Math.ceil((top + room) / height) + 8);
  const rows: ComponentChildren[] = [];
  const isGrid = props.role === "grid";
  for (let i = first; i < last; i++) {
    rows.push(
      <div key={i} id={`${id}-${i}`} class={`row${i === chosen ? " chosen" : ""}`} style={{ top: `${i * height}px`, height: `${height}px` }}
        role={isGrid ? "row" : undefined} aria-rowindex={isGrid ? i + (header ? 2 : 1) : undefined} aria-selected={isGrid ? i === chosen : undefined}
        onClick={onChoose && (() => onChoose(i))} onDblClick={onOpen && (() => onOpen(i))}>{row(i)}</div>);
  }
  return (
    <div ref={box} class={`rows ${props.class ?? ""}`} tabIndex={0} role={props.role ?? "group"} aria-label={props.label} aria-rowcount={isGrid ? count + (header ? 1 : 0) : undefined}
      aria-colcount={isGrid ? props.columns : undefined} aria-live={props.role === "log" ? "off" : undefined}
      aria-activedescendant={isGrid && chosen !== undefined && chosen >= first && chosen < last ? `${id}-${chosen}` : undefined} onScroll={scrolled} onKeyDown={keys}>
      {header && <div class="row header" role="row" aria-rowindex={1}>{header}</div>}
      <div class={`rows-all${props.wide ? " wide" : ""}`} style={{ height: `${count * height}px` }} role={isGrid ? "rowgroup" : undefined}>{rows}</div>
    </div>
  );
}
