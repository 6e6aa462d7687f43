import { RangeSlider } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { NumericFacet } from '@/api/types';
import { formatRange, withUnit } from '@/lib/numbers';
import { rangeOf, setRange } from '@/lib/tokens';
import classes from '@/pages/measurements/Facets.module.css';

const STEPS = 200;

/** A slider over the histogram of a condition; what it says is written into the query. */
export function NumericRange(props: { facet: NumericFacet; query: string; change: (query: string) => void }) {
  const { facet, query, change } = props;
  const { i18n } = useTranslation();
  const title = i18n.language === 'ja' ? facet.title_ja : facet.title;
  const applied = rangeOf(query, facet.name);
  const lowest = Math.min(facet.low, applied?.[0] ?? facet.low);
  const highest = Math.max(facet.high, applied?.[1] ?? facet.high);
  const width = highest - lowest;
  const toStep = (v: number) => (width ? Math.round(((v - lowest) / width) * STEPS) : 0);
  const toValue = (k: number) =>
    k === 0 ? lowest : k === STEPS ? highest : Number((lowest + (k / STEPS) * width).toPrecision(3));
  const [from, to] = applied ?? [lowest, highest];
  const [steps, setSteps] = useState<[number, number]>([0, STEPS]);
  const low = toStep(from);
  const high = width ? toStep(to) : STEPS;
  useEffect(() => setSteps([low, high]), [low, high]);
  const most = Math.max(1, ...facet.histogram.map((bin) => bin.count));
  const shown = [toValue(steps[0]), toValue(steps[1])] as const;
  return (
    <div className={classes.range}>
      <div className={classes.rangeHead}>
        <span className="cut">{title}</span>
        <span>{withUnit(formatRange(shown[0], shown[1]), facet.unit)}</span>
      </div>
      {width > 0 && (
        <>
          <div className={classes.bars} aria-hidden>
            {facet.histogram.map((bin) => (
              <i
                key={bin.low}
                data-in={(bin.high >= shown[0] && bin.low <= shown[1]) || undefined}
                style={{ height: `${bin.count ? 8 + (92 * bin.count) / most : 0}%` }}
              />
            ))}
          </div>
          <RangeSlider
            className={classes.slider}
            size={3}
            thumbSize={13}
            min={0}
            max={STEPS}
            minRange={0}
            label={null}
            value={steps}
            thumbFromLabel={`${title} ≥`}
            thumbToLabel={`${title} ≤`}
            onChange={setSteps}
            onChangeEnd={([a, b]) =>
              change(
                setRange(
                  query,
                  facet.name,
                  a === 0 && b === STEPS ? null : { from: toValue(a), to: toValue(b), unit: facet.unit },
                ),
              )
            }
          />
        </>
      )}
    </div>
  );
}
