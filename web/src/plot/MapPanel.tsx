import { SegmentedControl, Select } from '@mantine/core';
import { lazy, type ReactNode, Suspense, useCallback, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { ArrayInfo, EntryInfo } from '@/api/types';
import { decodeNumbers, decodePositions, strongest } from '@/lib/arrays';
import { axisLabel, formatNumber, withUnit } from '@/lib/numbers';
import type { PlotState } from '@/lib/urlstate';
import { isMicrograph } from '@/lib/vocabulary';
import { Failure, PageSkeleton } from '@/parts/States';
import { CurvePlot } from '@/plot/CurvePlot';
import type { MapChoice } from '@/plot/choices';
import { useColours } from '@/plot/colours';
import panel from '@/plot/PlotPanel.module.css';
import classes from '@/plot/plot.module.css';
import { useMapImage, useSpectrum } from '@/plot/useCurves';

const MapView = lazy(() => import('@/plot/MapView'));

const COLOUR_MAPS = ['Viridis', 'Cividis', 'Magma', 'Inferno', 'Greys', 'Turbo', 'RdBu'] as const;
type ColourMap = (typeof COLOUR_MAPS)[number];

interface Props {
  uid: string;
  entry: EntryInfo;
  choice: MapChoice;
  state: PlotState;
  change: (change: Partial<PlotState>) => void;
  tools: ReactNode;
}

/** A map as an image beside the spectrum of the pixel that was clicked. */
export default function MapPanel({ uid, entry, choice, state, change, tools }: Props) {
  const { t } = useTranslation();
  const colourOf = useColours();
  const [colourMap, setColourMap] = useState<ColourMap>(isMicrograph(entry.technique) ? 'Greys' : 'Viridis');
  const [picked, setPicked] = useState<[number, number] | null>(null);
  const { image, axes } = useMapImage(uid, entry.name, choice);
  const pick = useCallback((row: number, column: number) => setPicked([row, column]), []);

  const [down, across] = choice.image;
  const drawn = useMemo(() => {
    const signal = image.data?.arrays.find((a) => a.name === choice.signal.name);
    if (!signal || !axes.data) return null;
    const positions = (name: string) => {
      const array = axes.data.arrays.find((a) => a.name === name);
      return array ? Array.from(decodePositions(array)) : [];
    };
    return {
      values: decodeNumbers(signal),
      shape: signal.shape as [number, number],
      rows: positions(down.name),
      columns: positions(across.name),
    };
  }, [image.data, axes.data, choice.signal.name, down.name, across.name]);

  // Until one is chosen, the strongest pixel's spectrum says most.
  const pixel = useMemo<[number, number]>(() => {
    if (picked || !drawn) return picked ?? [0, 0];
    const at = Math.max(0, strongest(drawn.values));
    return [Math.floor(at / drawn.shape[1]), at % drawn.shape[1]];
  }, [picked, drawn]);
  const spectrum = useSpectrum(uid, entry.name, choice, drawn ? pixel : null);

  const curve = useMemo(() => {
    const find = (name: string): ArrayInfo | undefined => spectrum.data?.arrays.find((a) => a.name === name);
    const x = find(choice.spectrum.name);
    const y = find(choice.signal.name);
    if (!x || !y || x.shape.length !== 1 || y.shape.length !== 1) return [];
    return [
      {
        key: 'spectrum',
        label: choice.signal.label,
        x: decodePositions(x),
        y: decodeNumbers(y),
        side: 0 as const,
        colour: colourOf(0).colour,
        dash: [],
      },
    ];
  }, [spectrum.data, choice, colourOf]);
  const x = useMemo(
    () => ({
      label: axisLabel(choice.spectrum.label, choice.spectrum.unit),
      unit: choice.spectrum.unit,
      time: false,
      reversed: choice.spectrum.reversed,
    }),
    [choice.spectrum],
  );
  const sides = useMemo(
    () => [
      {
        label: axisLabel(choice.signal.label, choice.signal.unit),
        unit: choice.signal.unit,
        reversed: choice.signal.reversed,
      },
    ],
    [choice.signal],
  );
  const onRange = useCallback((range: [number, number] | null) => change({ range }), [change]);

  const error = image.error ?? axes.error;
  if (error) return <Failure error={error} />;
  const place = (axis: typeof down, values: number[] | undefined, k: number) =>
    withUnit(formatNumber(values?.[k] ?? k, 4), axis.unit);
  const length = (unit: string | null) => Boolean(unit && /m$|angstrom/.test(unit));
  const where = choice.mean
    ? t('map.pixel', { x: place(across, drawn?.columns, pixel[1]), y: place(down, drawn?.rows, pixel[0]) })
    : t('map.row', { axis: down.label, y: place(down, drawn?.rows, pixel[0]) });
  return (
    <>
      <div className={panel.toolbar}>
        {choice.signals.length > 1 && (
          <Select
            size="xs"
            w={200}
            aria-label={t('map.signal')}
            allowDeselect={false}
            data={choice.signals.map((s) => ({ value: s.name, label: axisLabel(s.label, s.unit) }))}
            value={choice.signal.name}
            onChange={(value) => value && change({ y: [value] })}
          />
        )}
        <Select
          size="xs"
          w={120}
          aria-label={t('map.colours')}
          allowDeselect={false}
          data={[...COLOUR_MAPS]}
          value={colourMap}
          onChange={(value) => value && setColourMap(value as ColourMap)}
        />
        <SegmentedControl
          aria-label={t('plot.scale')}
          value={state.log ? 'log' : 'linear'}
          onChange={(value) => change({ log: value === 'log' })}
          data={[
            { value: 'linear', label: t('plot.linear') },
            { value: 'log', label: t('plot.log') },
          ]}
        />
        <div className={panel.right}>{tools}</div>
      </div>
      <div className={classes.map}>
        <div>
          <p className={classes.note}>
            {choice.mean
              ? t('map.mean', { axis: choice.spectrum.label })
              : axisLabel(choice.signal.label, choice.signal.unit)}
          </p>
          <div
            className={classes.image}
            role="img"
            aria-label={t('map.words', {
              signal: choice.signal.label,
              rows: down.size,
              columns: across.size,
              down: down.label,
              across: across.label,
            })}
          >
            <Suspense fallback={<PageSkeleton />}>
              {drawn && (
                <MapView
                  values={drawn.values}
                  shape={drawn.shape}
                  rows={{ label: axisLabel(down.label, down.unit), values: drawn.rows }}
                  columns={{ label: axisLabel(across.label, across.unit), values: drawn.columns }}
                  colourMap={colourMap}
                  log={state.log}
                  fromTop={isMicrograph(entry.technique)}
                  square={length(down.unit) && down.unit === across.unit}
                  pick={pick}
                />
              )}
            </Suspense>
          </div>
        </div>
        <div>
          <p className={classes.note} role="status">
            {where}
          </p>
          <CurvePlot
            curves={curve}
            x={x}
            sides={sides}
            log={state.log}
            range={state.range}
            onRange={onRange}
            height={320}
            label={where}
          />
        </div>
      </div>
      <p className={panel.hint}>{t('map.hint')}</p>
    </>
  );
}
