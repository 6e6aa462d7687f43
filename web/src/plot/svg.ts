/** A plot as an SVG document of its own: no styles from the page, opens in any drawing program. */

import { formatNumber, formatTick } from '@/lib/numbers';
import { type Curve, linearTicks, logTicks, type Scales } from '@/plot/curves';

export interface SvgPlot {
  title: string;
  xLabel: string;
  yLabel: string;
  curves: Curve[];
  colours: string[];
  scales: Scales;
  log: boolean;
  reversed: { x: boolean; y: boolean };
}

const escapeXml = (text: string) =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);

export function plotSvg(plot: SvgPlot, width = 900, height = 560): string {
  const legend = plot.curves.length > 1 ? plot.curves.length * 18 : 0;
  const box = { left: 84, top: 44, right: width - 24, bottom: height - 60 };
  const { x, y } = plot.scales;
  const toX = (v: number) => {
    const share = (v - x[0]) / (x[1] - x[0]);
    return box.left + (plot.reversed.x ? 1 - share : share) * (box.right - box.left);
  };
  const unit = (v: number) => (plot.log ? Math.log10(v) : v);
  const toY = (v: number) => {
    const share = (unit(v) - unit(y[0])) / (unit(y[1]) - unit(y[0]));
    return box.bottom - (plot.reversed.y ? 1 - share : share) * (box.bottom - box.top);
  };

  const parts: string[] = [];
  const xt = linearTicks(x, 8);
  for (const v of xt.values) {
    const px = toX(v).toFixed(1);
    parts.push(`<path d="M${px} ${box.bottom}v6" stroke="#333"/>`);
    parts.push(
      `<text x="${px}" y="${box.bottom + 22}" text-anchor="middle">${formatTick(v, xt.step)}</text>`,
    );
  }
  const yt = plot.log ? { values: [...logTicks(y).named], step: 0 } : linearTicks(y, 6);
  for (const v of yt.values) {
    const py = toY(v).toFixed(1);
    parts.push(`<path d="M${box.left} ${py}h-6" stroke="#333"/>`);
    const text = plot.log ? formatNumber(v, 3) : formatTick(v, yt.step);
    parts.push(`<text x="${box.left - 10}" y="${py}" dy="0.35em" text-anchor="end">${text}</text>`);
  }
  plot.curves.forEach((curve, k) => {
    let d = '';
    let pen = false;
    for (let i = 0; i < curve.x.length; i++) {
      const vx = curve.x[i] as number;
      const vy = curve.y[i] as number;
      if (vx < x[0] || vx > x[1] || !Number.isFinite(vy) || (plot.log && vy <= 0)) {
        pen = false;
        continue;
      }
      d += `${pen ? 'L' : 'M'}${toX(vx).toFixed(2)} ${toY(vy).toFixed(2)}`;
      pen = true;
    }
    const colour = plot.colours[k % plot.colours.length];
    parts.push(
      `<path clip-path="url(#box)" d="${d}" fill="none" stroke="${colour}" stroke-width="1.4" stroke-linejoin="round"/>`,
    );
    if (legend) {
      const ly = height + 6 + k * 18;
      parts.push(`<path d="M${box.left} ${ly}h22" stroke="${colour}" stroke-width="2.5"/>`);
      parts.push(`<text x="${box.left + 30}" y="${ly}" dy="0.35em">${escapeXml(curve.label)}</text>`);
    }
  });
  const w = box.right - box.left;
  const h = box.bottom - box.top;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height + legend + (legend ? 12 : 0)}" viewBox="0 0 ${width} ${height + legend + (legend ? 12 : 0)}" font-family="Inter, Helvetica, Arial, 'Noto Sans CJK JP', sans-serif" font-size="13" fill="#222">
<title>${escapeXml(plot.title)}</title>
<rect width="100%" height="100%" fill="#fff"/>
<clipPath id="box"><rect x="${box.left}" y="${box.top}" width="${w}" height="${h}"/></clipPath>
<text x="${box.left}" y="26" font-size="15" font-weight="600">${escapeXml(plot.title)}</text>
${parts.join('\n')}
<rect x="${box.left}" y="${box.top}" width="${w}" height="${h}" fill="none" stroke="#333"/>
<text x="${box.left + w / 2}" y="${height - 14}" text-anchor="middle" font-size="14">${escapeXml(plot.xLabel)}</text>
<text transform="translate(18 ${box.top + h / 2}) rotate(-90)" text-anchor="middle" font-size="14">${escapeXml(plot.yLabel)}</text>
</svg>
`;
}
