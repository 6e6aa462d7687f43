import 'uplot/dist/uPlot.min.css';
import { useComputedColorScheme } from '@mantine/core';
import { useResizeObserver } from '@mantine/hooks';
import {
  forwardRef,
  type RefObject,
  useCallback,
  useEffect,
  useImperativeHandle,
  useMemo,
  useRef,
  useState,
} from 'react';
import { useTranslation } from 'react-i18next';
import uPlot from 'uplot';
import { formatNumber, formatTick, withUnit } from '@/lib/numbers';
import { type Curve, logTicks, nearest, type Scales, windowOf } from '@/plot/curves';
import classes from '@/plot/plot.module.css';

export interface Side {
  label: string;
  unit: string | null;
  /** Drawn from high to low. */
  reversed: boolean;
}

export interface DrawnCurve extends Curve {
  colour: string;
  dash: number[];
  /** 0: the left scale, 1: the right one. */
  side: 0 | 1;
}

export interface PlotHandle {
  canvas: () => HTMLCanvasElement | null;
  scales: () => Scales;
}

interface Props {
  curves: DrawnCurve[];
  x: Side & { time: boolean };
  sides: Side[];
  log: boolean;
  range: [number, number] | null;
  onRange: (range: [number, number] | null) => void;
  height: number;
  /** The plot in words. */
  label: string;
}

interface ReadOut {
  left: number;
  top: number;
  colour: string;
  x: string;
  y: string;
  curve: string;
}

const FEW_POINTS = 80;
const dateText = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace('T', ' ');

/** Curves with axes: drag to zoom, double-click to reset, read-out under the pointer or by the arrow keys. */
export const CurvePlot = forwardRef<PlotHandle, Props>(function CurvePlot(props, handle) {
  const { curves, x, sides, log, range, onRange, height, label } = props;
  const { t } = useTranslation();
  const scheme = useComputedColorScheme('light');
  const [observe, rect] = useResizeObserver<HTMLDivElement>();
  const box = observe as RefObject<HTMLDivElement>; // React 18's types know no null in it
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [readOut, setReadOut] = useState<ReadOut | null>(null);
  const keyIndex = useRef(-1);
  const width = Math.floor(rect.width);

  const windows = useMemo(() => {
    const left = windowOf(
      curves.filter((c) => c.side === 0),
      log,
      range,
    );
    const right = curves.filter((c) => c.side === 1);
    const all = windowOf(curves, log, range);
    return { x: all.x, y: left.y, y2: right.length ? windowOf(right, log, all.x).y : left.y };
  }, [curves, log, range]);

  const show = useCallback(
    (c: number, i: number) => {
      const u = plot.current;
      const curve = curves[c];
      if (!u || !curve) return;
      const vx = curve.x[i] as number;
      const vy = curve.y[i] as number;
      setReadOut({
        left: u.valToPos(vx, 'x'),
        top: u.valToPos(vy, curve.side ? 'y2' : 'y'),
        colour: curve.colour,
        x: x.time ? dateText(vx) : withUnit(formatNumber(vx, 6), x.unit),
        y: withUnit(formatNumber(vy, 5), sides[curve.side]?.unit),
        curve: curves.length > 1 ? curve.label : '',
      });
    },
    [curves, x, sides],
  );

  useEffect(() => {
    const element = host.current;
    if (!element || width < 50 || curves.length === 0) return; // uPlot needs at least one
    const { ink, line, font } = paint(scheme);
    const y = (side: number): uPlot.Axis => ({
      scale: side ? 'y2' : 'y',
      side: side ? 1 : 3,
      label: sides[side]?.label ?? '',
      labelFont: font,
      labelSize: 22,
      labelGap: 4,
      font,
      stroke: ink,
      size: (_, values) => 14 + Math.max(0, ...(values ?? []).map((v) => (v ?? '').length)) * 7.2,
      grid: { show: side === 0, stroke: line, width: 1 },
      ticks: { stroke: line, size: 5, width: 1 },
      ...(log ? { splits: (_: uPlot, __: number, lo: number, hi: number) => logTicks([lo, hi]).values } : {}),
      ...(log ? { filter: (_: uPlot, splits: number[]) => splits } : {}),
      values: (u, splits, __, ___, step) => {
        if (!log) return splits.map((v) => formatTick(v, step));
        const { min, max } = u.scales[side ? 'y2' : 'y'] ?? {};
        const { named } = logTicks([min ?? 1, max ?? 10]);
        return splits.map((v) => (named.has(v) ? formatNumber(v, 3) : ''));
      },
    });
    const options: uPlot.Options = {
      mode: 2,
      width,
      height,
      padding: [10, 12, 0, 0],
      legend: { show: false },
      focus: { alpha: 1 },
      cursor: {
        x: true,
        y: false,
        points: { show: false },
        dataIdx: () => null as unknown as number,
        drag: { x: true, y: false, setScale: false },
        bind: {
          dblclick: () => () => {
            onRange(null);
            return null;
          },
        },
      },
      scales: {
        x: { time: false, dir: x.reversed ? -1 : 1, range: () => windows.x },
        y: { distr: log ? 3 : 1, dir: sides[0]?.reversed ? -1 : 1, range: () => windows.y },
        y2: { distr: log ? 3 : 1, dir: sides[1]?.reversed ? -1 : 1, range: () => windows.y2 },
      },
      axes: [
        {
          scale: 'x',
          label: x.label,
          labelFont: font,
          labelSize: 22,
          labelGap: 0,
          size: 30,
          font,
          stroke: ink,
          space: x.time ? 130 : 70,
          grid: { stroke: line, width: 1 },
          ticks: { stroke: line, size: 5, width: 1 },
          values: (_, splits, __, ___, step) =>
            splits.map((v) => (x.time ? dateText(v) : formatTick(v, step))),
        },
        ...sides.map((_, side) => y(side)),
      ],
      series: [{}, ...curves.map((curve) => series(curve, log))] as uPlot.Series[],
      hooks: {
        setSelect: [
          (u) => {
            if (u.select.width < 4) return;
            const a = u.posToVal(u.select.left, 'x');
            const b = u.posToVal(u.select.left + u.select.width, 'x');
            u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            onRange([Math.min(a, b), Math.max(a, b)]);
          },
        ],
      },
    };
    const data = [null, ...curves.map((c) => [c.x, c.y])] as unknown as uPlot.AlignedData;
    const u = new uPlot(options, data, element);
    plot.current = u;
    setReadOut(null);
    keyIndex.current = -1;
    return () => {
      u.destroy();
      plot.current = null;
    };
  }, [curves, windows, width, height, log, x, sides, onRange, scheme]);

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const move = (event: PointerEvent) => {
      const u = plot.current;
      if (!u) return;
      const over = u.over.getBoundingClientRect();
      const at = { x: event.clientX - over.left, y: event.clientY - over.top };
      if (at.x < 0 || at.y < 0 || at.x > over.width || at.y > over.height) return setReadOut(null);
      let best = null;
      let distance = Number.POSITIVE_INFINITY;
      for (const side of [0, 1] as const) {
        const own = curves.filter((c) => c.side === side);
        const scale = side ? 'y2' : 'y';
        const hit = own.length
          ? nearest(
              own,
              at,
              (v) => u.valToPos(v, 'x'),
              (v) => u.valToPos(v, scale),
            )
          : null;
        const curve = hit && own[hit.curve];
        if (!hit || !curve) continue;
        const d = Math.abs(u.valToPos(curve.y[hit.index] as number, scale) - at.y);
        if (d < distance) {
          distance = d;
          best = { curve: curves.indexOf(curve), index: hit.index };
        }
      }
      if (best) show(best.curve, best.index);
      else setReadOut(null);
    };
    const leave = () => setReadOut(null);
    element.addEventListener('pointermove', move);
    element.addEventListener('pointerleave', leave);
    return () => {
      element.removeEventListener('pointermove', move);
      element.removeEventListener('pointerleave', leave);
    };
  }, [curves, show]);

  useImperativeHandle(handle, () => ({
    canvas: () => plot.current?.ctx.canvas ?? null,
    scales: () => ({ x: windows.x, y: windows.y }),
  }));

  const step = (event: React.KeyboardEvent) => {
    const first = curves[0];
    if (!first) return;
    if (event.key === 'Escape' && range) return onRange(null);
    const way = { ArrowRight: 1, ArrowLeft: -1, PageDown: 20, PageUp: -20 }[event.key];
    if (!way) return;
    event.preventDefault();
    const from = keyIndex.current < 0 ? firstWithin(first, windows.x) - way : keyIndex.current;
    keyIndex.current = Math.max(0, Math.min(first.x.length - 1, from + (x.reversed ? -way : way)));
    show(0, keyIndex.current);
  };

  return (
    <div
      ref={box}
      className={classes.plot}
      tabIndex={0}
      role="img"
      aria-label={`${label}. ${t('plot.keys')}`}
      onKeyDown={step}
      style={{ minHeight: height }}
    >
      <div ref={host} className={classes.host} />
      {readOut && (
        <>
          <Dot at={readOut} over={plot.current?.over} within={box.current} />
          <div className={classes.readOut} role="status">
            <i style={{ background: readOut.colour }} />
            {readOut.curve && <span className="cut">{readOut.curve}</span>}
            <b>{readOut.x}</b>
            <b>{readOut.y}</b>
          </div>
        </>
      )}
    </div>
  );
});

/** Colours and font of the scheme that is on, as the style sheet has them. */
function paint(scheme: 'light' | 'dark') {
  const style = getComputedStyle(document.documentElement);
  const of = (name: string, fallback: string) => style.getPropertyValue(name).trim() || fallback;
  return {
    ink: of('--z-muted', scheme === 'dark' ? '#9da5b1' : '#5a6371'),
    line: of('--z-line', scheme === 'dark' ? '#272b32' : '#e4e7ec'),
    font: `12px ${getComputedStyle(document.body).fontFamily}`,
  };
}

function Dot({
  at,
  over,
  within,
}: {
  at: ReadOut;
  over: HTMLElement | undefined;
  within: HTMLElement | null;
}) {
  if (!over || !within) return null;
  const a = over.getBoundingClientRect();
  const b = within.getBoundingClientRect();
  return (
    <span
      className={classes.dot}
      style={{ left: a.left - b.left + at.left, top: a.top - b.top + at.top, borderColor: at.colour }}
    />
  );
}

function firstWithin(curve: Curve, [lo, hi]: [number, number]): number {
  for (let i = 0; i < curve.x.length; i++) {
    const v = curve.x[i] as number;
    if (v >= lo && v <= hi) return i;
  }
  return 0;
}

/** A line in the order of its points (so that loops are loops), broken where a point has no place. */
function series(curve: DrawnCurve, log: boolean): uPlot.Series {
  const scale = curve.side ? 'y2' : 'y';
  return {
    label: curve.label,
    stroke: curve.colour,
    width: 1.4,
    dash: curve.dash,
    points: { show: false },
    facets: [
      { scale: 'x', auto: false },
      { scale, auto: false },
    ],
    paths: (u) => {
      const stroke = new Path2D();
      const { min = 0, max = 1 } = u.scales.x ?? {};
      const pad = ((max ?? 1) - (min ?? 0)) * 0.02;
      const [lo, hi] = [(min ?? 0) - pad, (max ?? 1) + pad];
      const dots: [number, number][] = [];
      let pen = false;
      let before: [number, number] | null = null;
      for (let i = 0; i < curve.x.length; i++) {
        const vx = curve.x[i] as number;
        const vy = curve.y[i] as number;
        if (!Number.isFinite(vx) || !Number.isFinite(vy) || (log && vy <= 0)) {
          pen = false;
          before = null;
          continue;
        }
        const px = u.valToPos(vx, 'x', true);
        const py = u.valToPos(vy, scale, true);
        const inside = vx >= lo && vx <= hi;
        if (inside) {
          if (!pen && before) stroke.moveTo(before[0], before[1]);
          else if (!pen) stroke.moveTo(px, py);
          stroke.lineTo(px, py);
          dots.push([px, py]);
        } else if (pen) {
          stroke.lineTo(px, py); // so that the line leaves through the frame
        }
        pen = inside;
        before = [px, py];
      }
      if (dots.length <= FEW_POINTS) {
        const radius = 2.2 * devicePixelRatio;
        for (const [px, py] of dots) {
          stroke.moveTo(px + radius, py);
          stroke.arc(px, py, radius, 0, 2 * Math.PI);
        }
      }
      return { stroke, fill: null, clip: null, flags: 0 } as unknown as uPlot.Series.Paths;
    },
  } as uPlot.Series;
}
