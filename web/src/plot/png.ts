import type { DrawnCurve } from '@/plot/CurvePlot';

const MARGIN = 20;

/** The plot as drawn, on its ground, with title and legend. */
export async function composePng(
  source: HTMLCanvasElement,
  title: string,
  curves: DrawnCurve[],
): Promise<Blob> {
  const ratio = devicePixelRatio || 1;
  const several = curves.length > 1 ? curves : [];
  const canvas = document.createElement('canvas');
  canvas.width = source.width + 2 * MARGIN * ratio;
  canvas.height = source.height + (MARGIN * 2 + 26 + several.length * 20) * ratio;
  const pen = canvas.getContext('2d');
  if (!pen) throw new Error('no canvas');
  const style = getComputedStyle(document.body);
  pen.fillStyle = style.backgroundColor;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(source, MARGIN * ratio, (MARGIN + 26) * ratio);
  pen.scale(ratio, ratio);
  pen.fillStyle = style.color;
  pen.textBaseline = 'middle';
  pen.font = `600 15px ${style.fontFamily}`;
  pen.fillText(title, MARGIN + 8, MARGIN + 10);
  pen.font = `13px ${style.fontFamily}`;
  several.forEach((curve, k) => {
    const y = MARGIN + 26 + source.height / ratio + 10 + k * 20;
    pen.strokeStyle = curve.colour;
    pen.lineWidth = 2.5;
    pen.setLineDash(curve.dash);
    pen.beginPath();
    pen.moveTo(MARGIN + 8, y);
    pen.lineTo(MARGIN + 32, y);
    pen.stroke();
    pen.fillText(curve.label, MARGIN + 42, y);
  });
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('no image'))), 'image/png'),
  );
}
