import '@h5web/lib/styles.css';
import { type ColorMap, HeatmapVis, ScaleType, useCanvasEvent } from '@h5web/lib';
import ndarray from 'ndarray';
import { useMemo } from 'react';
import { evenPlaces, extent } from '@/lib/arrays';
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
  const drawn = useMemo(
    () => evenly(values, shape, rows.values, columns.values),
    [values, shape, rows.values, columns.values],
  );
  const domain = useMemo(() => extent(values, log) ?? ([0, 1] as [number, number]), [values, log]);
  return (
    <div className={classes.bar}>
      <HeatmapVis
        dataArray={drawn.data}
        domain={domain}
        colorMap={colourMap}
        scaleType={log ? ScaleType.Log : ScaleType.Linear}
        aspect={square ? 'equal' : 'auto'}
        flipYAxis={fromTop || (rows.values[0] ?? 0) > (rows.values.at(-1) ?? 0)} // H5Web begins below
        abscissaParams={{ label: columns.label, value: drawn.columns }}
        ordinateParams={{ label: rows.label, value: drawn.rows }}
      >
        <Pick shape={shape} rows={rows.values} columns={columns.values} pick={pick} />
      </HeatmapVis>
    </div>
  );
}

/** The picture over even places: H5Web draws any positions as if they were, from the first two on. */
function evenly(values: Float64Array, shape: [number, number], rows: number[], columns: number[]) {
  const down = evenPlaces(rows);
  const across = evenPlaces(columns);
  if (!down && !across) return { data: ndarray(values, shape), rows, columns };
  const of = (places: typeof down, length: number) => places?.nearest ?? Array.from({ length }, (_, k) => k);
  const [fromRow, fromColumn] = [of(down, shape[0]), of(across, shape[1])];
  const data = new Float64Array(fromRow.length * fromColumn.length);
  fromRow.forEach((row, i) => {
    fromColumn.forEach((column, j) => {
      data[i * fromColumn.length + j] = values[row * shape[1] + column] as number;
    });
  });
  return {
    data: ndarray(data, [fromRow.length, fromColumn.length]),
    rows: down?.places ?? rows,
    columns: across?.places ?? columns,
  };
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
