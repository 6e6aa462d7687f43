import { ActionIcon, Button, MultiSelect, SegmentedControl, Select, Slider } from '@mantine/core';
import { useHotkeys } from '@mantine/hooks';
import { IconArrowsMaximize, IconX } from '@tabler/icons-react';
import { useCallback, useMemo, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { saveBlob } from '@/api/client';
import type { Detail, EntryInfo } from '@/api/types';
import { strongest } from '@/lib/arrays';
import { axisLabel, formatNumber, withUnit } from '@/lib/numbers';
import type { PlotState } from '@/lib/urlstate';
import { Failure } from '@/parts/States';
import { toast } from '@/parts/Toasts';
import { CurvePlot, type DrawnCurve, type PlotHandle } from '@/plot/CurvePlot';
import { type CurveChoice, choose, matching } from '@/plot/choices';
import { PRINT_COLOURS, useColours } from '@/plot/colours';
import { shifted } from '@/plot/curves';
import classes from '@/plot/PlotPanel.module.css';
import { type Change, Export, ViewSwitch } from '@/plot/PlotTools';
import { composePng } from '@/plot/png';
import { plotSvg } from '@/plot/svg';
import { type Fetched, useCurves, type Wanted } from '@/plot/useCurves';

interface Props {
  main: Detail;
  others: Detail[];
  entry: EntryInfo;
  choice: CurveChoice;
  state: PlotState;
  change: Change;
  height: number;
}

/** Curves of one measurement and of those laid over it, with what changes how they are drawn. */
export function CurvesPanel(props: Props) {
  const { main, others, entry, choice, state, change, height } = props;
  const { t } = useTranslation();
  const colourOf = useColours();
  const handle = useRef<PlotHandle>(null);

  const { wanted, odd } = useMemo(() => {
    const list: Wanted[] = [{ uid: main.uid, entry: entry.name, title: main.title, choice }];
    const left: Detail[] = [];
    for (const other of others) {
      const found = matching(other.entry_list, entry.name, choice);
      if (found) {
        const own = choose(
          found,
          choice.x.name,
          choice.ys.map((q) => q.name),
        );
        list.push({ uid: other.uid, entry: found.name, title: other.title, choice: own });
      } else left.push(other);
    }
    return { wanted: list, odd: left };
  }, [main, others, entry, choice]);
  const { curves, pending, error, thinned, points } = useCurves(wanted, state.range);

  const units = useMemo(() => [...new Set(choice.ys.map((q) => q.unit ?? ''))], [choice.ys]);
  const { offset, log } = state;
  const drawn = useMemo(
    () => draw(curves, choice, units, offset, log, colourOf),
    [curves, choice, units, offset, log, colourOf],
  );
  const x = useMemo(
    () => ({
      label: axisLabel(choice.x.label, choice.x.time ? null : choice.x.unit),
      unit: choice.x.unit,
      time: choice.x.time,
      reversed: choice.x.reversed,
    }),
    [choice.x],
  );
  const sides = useMemo(
    () =>
      units.map((unit) => {
        const own = choice.ys.filter((q) => (q.unit ?? '') === unit);
        const reversed = own.every((q) => q.reversed);
        return { label: axisLabel(own.map((q) => q.label).join(', '), unit), unit, reversed };
      }),
    [choice.ys, units],
  );
  const onRange = useCallback((range: [number, number] | null) => change({ range }), [change]);
  useHotkeys([
    ['l', () => change({ log: !state.log })],
    ['r', () => change({ range: null })],
  ]);

  const label = inWords(t, main, curves[0], choice);
  const title = main.title || main.path;
  const colours = drawn.map((_, k) => PRINT_COLOURS[k % PRINT_COLOURS.length] ?? '#000');
  const png = () => {
    const canvas = handle.current?.canvas();
    if (!canvas) return;
    composePng(canvas, title, drawn).then(
      (blob) => saveBlob(blob, `${fileName(title)}.png`),
      (e: unknown) => toast({ message: String(e), bad: true }),
    );
  };
  const svg = () => {
    const scales = handle.current?.scales();
    if (!scales) return;
    const own = drawn.filter((c) => c.side === 0);
    const text = plotSvg({
      title,
      xLabel: x.label,
      yLabel: sides[0]?.label ?? '',
      curves: own,
      colours,
      scales,
      log: state.log,
      reversed: { x: x.reversed, y: sides[0]?.reversed ?? false },
    });
    saveBlob(new Blob([text], { type: 'image/svg+xml' }), `${fileName(title)}.svg`);
  };
  return (
    <>
      <div className={classes.toolbar}>
        <ViewSwitch state={state} change={change} />
        {entry.is_table && (
          <Select
            size="xs"
            w={170}
            aria-label={t('plot.x')}
            leftSection={<span className={classes.axisName}>x</span>}
            allowDeselect={false}
            data={choice.xs.map((q) => ({
              value: q.name,
              label: axisLabel(q.label, q.time ? null : q.unit),
            }))}
            value={choice.x.name}
            onChange={(value) => value && change({ x: value === entry.x ? '' : value, range: null })}
          />
        )}
        {choice.candidates.length > 1 && (
          <MultiSelect
            size="xs"
            className={classes.y}
            aria-label={t('plot.y')}
            leftSection={<span className={classes.axisName}>y</span>}
            data={choice.candidates.map((q) => ({ value: q.name, label: axisLabel(q.label, q.unit) }))}
            value={choice.ys.map((q) => q.name)}
            maxValues={6}
            onChange={(values) => values.length && change({ y: values })}
          />
        )}
        <SegmentedControl
          aria-label={t('plot.scale')}
          value={state.log ? 'log' : 'linear'}
          onChange={(value) => change({ log: value === 'log' })}
          data={[
            { value: 'linear', label: t('plot.linear') },
            { value: 'log', label: t('plot.log') },
          ]}
        />
        {drawn.length > 1 && others.length > 0 && (
          <div className={classes.offset}>
            <span>{t('plot.offset')}</span>
            <Slider
              size={3}
              thumbSize={13}
              min={0}
              max={1.5}
              step={0.05}
              label={null}
              value={state.offset}
              onChange={(offset) => change({ offset })}
              thumbLabel={t('plot.offset')}
            />
          </div>
        )}
        <div className={classes.right}>
          {state.range && (
            <Button
              variant="light"
              leftSection={<IconArrowsMaximize size={14} />}
              onClick={() => change({ range: null })}
            >
              {t('plot.reset')}
            </Button>
          )}
          <Export main={main} entry={entry} png={png} svg={svg} />
        </div>
      </div>
      {error ? (
        <Failure error={error} />
      ) : (
        <div className={classes.canvas} aria-busy={pending} style={{ minHeight: height }}>
          <CurvePlot
            ref={handle}
            curves={drawn}
            x={x}
            sides={sides}
            log={state.log}
            range={state.range}
            onRange={onRange}
            height={height}
            label={label}
          />
        </div>
      )}
      {drawn.length > 1 && (
        <Legend
          curves={curves}
          drawn={drawn}
          main={main}
          state={state}
          change={change}
          overlaid={others.length > 0}
        />
      )}
      {odd.length > 0 && (
        <p className={classes.odd}>
          {t('plot.odd', { titles: odd.map((o) => o.title).join(', ') })}
          {state.over.length > 0 && (
            <Button
              variant="subtle"
              size="compact-xs"
              onClick={() => change({ over: state.over.filter((uid) => !odd.some((o) => o.uid === uid)) })}
            >
              {t('plot.oddRemove')}
            </Button>
          )}
        </p>
      )}
      <p className={classes.hint}>
        {t('plot.hint')}
        {thinned && ` ${t('plot.thinned', { count: points, text: formatNumber(points) })}`}
      </p>
    </>
  );
}

function draw(
  curves: Fetched[],
  choice: CurveChoice,
  units: string[],
  offset: number,
  log: boolean,
  colourOf: ReturnType<typeof useColours>,
): DrawnCurve[] {
  const sideOf = (name: string | undefined): 0 | 1 =>
    units.indexOf(choice.ys.find((q) => q.name === name)?.unit ?? '') > 0 ? 1 : 0;
  return shifted(curves, offset, log).map((curve, k) => ({
    ...curve,
    ...colourOf(k),
    side: sideOf(curves[k]?.y_name),
  }));
}

function Legend(props: {
  curves: Fetched[];
  drawn: DrawnCurve[];
  main: Detail;
  state: PlotState;
  change: Change;
  overlaid: boolean;
}) {
  const { curves, drawn, main, state, change, overlaid } = props;
  const { t } = useTranslation();
  return (
    <ul className={classes.legend}>
      {drawn.map((curve, k) => {
        const uid = curves[k]?.uid ?? '';
        return (
          <li key={curve.key}>
            <svg width="24" height="6" aria-hidden="true">
              <path
                d="M0 3h24"
                stroke={curve.colour}
                strokeWidth="2.5"
                strokeDasharray={curve.dash.join(' ')}
              />
            </svg>
            {overlaid && uid !== main.uid ? (
              <Link to={`/measurements/${uid}`}>{curve.label}</Link>
            ) : (
              <span>{curve.label}</span>
            )}
            {state.over.includes(uid) && (
              <ActionIcon
                size="xs"
                aria-label={t('plot.remove', { title: curve.label })}
                onClick={() => change({ over: state.over.filter((u) => u !== uid) })}
              >
                <IconX size={12} />
              </ActionIcon>
            )}
          </li>
        );
      })}
    </ul>
  );
}

const fileName = (title: string) => title.replace(/[^\p{L}\p{N}._-]+/gu, '_').slice(0, 80) || 'plot';

/** "XRD, 5 to 90° 2θ, strongest at 28.44°": what the plot shows, for those who do not see it. */
function inWords(
  t: (key: string, values: Record<string, unknown>) => string,
  main: Detail,
  curve: Fetched | undefined,
  choice: CurveChoice,
): string {
  const technique = main.technique_short || main.technique;
  if (!curve || curve.x.length === 0) return t('plot.wordsEmpty', { technique });
  const xs = Array.from(curve.x).filter(Number.isFinite);
  const lo = xs.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const hi = xs.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const top = strongest(curve.y);
  const say = (v: number) =>
    choice.x.time ? new Date(v).toISOString() : withUnit(formatNumber(v, 4), choice.x.unit);
  return t('plot.words', {
    technique,
    y: choice.ys.map((q) => q.label).join(', '),
    x: choice.x.label,
    from: say(lo),
    to: say(hi),
    top: top >= 0 ? say(curve.x[top] as number) : '–',
  });
}
