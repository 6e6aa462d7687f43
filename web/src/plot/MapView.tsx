import '@h5web/lib/styles.css';
import { type ColorMap, HeatmapVis, ScaleType, useCanvasEvent } from '@h5web/lib';
import ndarray from 'ndarray';
import { useMemo } from 'react';
import { extent } from '@/lib/arrays';
import classes from '@/plot/plot.module.css';

export interface MapProps {
  values: Float64Array;
  shape: [number, number];
  rows: { label: string; values: number[] };
  columns: { label: string; values: number[] };
  colourMap: ColorMap;
  log: boolean;
  square: boolean;
  /** The first row is uppermost even where its position is the lowest. */
  fromTop: boolean;
  pick: (row: number, column: number) => void;
}

/** An image of a map by H5Web; a click picks a pixel. In a chunk of its own: three.js is heavy. */
export default function MapView(props: MapProps) {
  const { values, shape, rows, columns, colourMap, log, square, fromTop, pick } = props;
  const data = useMemo(() => ndarray(values, shape), [values, shape]);
  const domain = useMemo(() => extent(values, log) ?? ([0, 1] as [number, number]), [values, log]);
  return (
    <div className={classes.bar}>
      <HeatmapVis
        dataArray={data}
        domain={domain}
        colorMap={colourMap}
        scaleType={log ? ScaleType.Log : ScaleType.Linear}
        aspect={square ? 'equal' : 'auto'}
        flipYAxis={fromTop || (rows.values[0] ?? 0) > (rows.values.at(-1) ?? 0)} // H5Web begins below
        abscissaParams={{ label: columns.label, value: columns.values }}
        ordinateParams={{ label: rows.label, value: rows.values }}
      >
        <Pick shape={shape} rows={rows.values} columns={columns.values} pick={pick} />
      </HeatmapVis>
    </div>
  );
}

function Pick(props: { shape: [number, number]; rows: number[]; columns: number[]; pick: MapProps['pick'] }) {
  const { rows, columns, pick } = props;
  useCanvasEvent('click', (event) => {
    const { x, y } = event.dataPt;
    pick(closest(rows, y), closest(columns, x));
  });
  return null;
}

function closest(values: number[], at: number): number {
  let best = 0;
  values.forEach((v, k) => {
    if (Math.abs(v - at) < Math.abs((values[best] ?? 0) - at)) best = k;
  });
  return best;
}
