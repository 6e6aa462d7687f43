/**
 * Strided arrays for H5Web, in the place of the package `ndarray` (see vite.config.ts): that one makes its
 * classes by `new Function`, which the pages' Content-Security-Policy rightly forbids.
 */

type Values = ArrayLike<number> & { [index: number]: number };

class NdArray<T extends Values> {
  constructor(
    readonly data: T,
    readonly shape: number[],
    readonly stride: number[],
    readonly offset: number,
  ) {}

  get dimension(): number {
    return this.shape.length;
  }

  get size(): number {
    return this.shape.reduce((a, b) => a * b, 1);
  }

  get dtype(): string {
    return Array.isArray(this.data) ? 'array' : this.data.constructor.name.replace('Array', '').toLowerCase();
  }

  get order(): number[] {
    return this.stride
      .map((_, k) => k)
      .sort((a, b) => Math.abs(this.stride[a] ?? 0) - Math.abs(this.stride[b] ?? 0));
  }

  index(...at: number[]): number {
    return at.reduce((sum, k, axis) => sum + k * (this.stride[axis] ?? 0), this.offset);
  }

  get(...at: number[]): number {
    return this.data[this.index(...at)] as number;
  }

  set(...args: number[]): number {
    const value = args.at(-1) ?? Number.NaN;
    this.data[this.index(...args.slice(0, -1))] = value;
    return value;
  }

  /** The same numbers with the axes in another order. */
  transpose(...order: number[]): NdArray<T> {
    const of = (values: number[]) => order.map((axis) => values[axis] ?? 1);
    return new NdArray(this.data, of(this.shape), of(this.stride), this.offset);
  }

  /** The part at fixed indices; null or a negative one leaves an axis whole. */
  pick(...at: (number | null | undefined)[]): NdArray<T> {
    const free = (axis: number) => (at[axis] ?? -1) < 0;
    const start = this.index(...this.shape.map((_, axis) => (free(axis) ? 0 : (at[axis] ?? 0))));
    const left = (values: number[]) => values.filter((_, axis) => free(axis));
    return new NdArray(this.data, left(this.shape), left(this.stride), start);
  }

  /** The part from the start up to these ends. */
  hi(...ends: (number | null | undefined)[]): NdArray<T> {
    const shape = this.shape.map((n, axis) => ends[axis] ?? n);
    return new NdArray(this.data, shape, this.stride, this.offset);
  }

  /** The part from these starts on. */
  lo(...starts: (number | null | undefined)[]): NdArray<T> {
    const from = this.shape.map((_, axis) => starts[axis] ?? 0);
    return new NdArray(
      this.data,
      this.shape.map((n, axis) => n - (from[axis] ?? 0)),
      this.stride,
      this.index(...from),
    );
  }

  /** Every so many; negative ones run backwards. */
  step(...steps: (number | null | undefined)[]): NdArray<T> {
    let offset = this.offset;
    const shape = [...this.shape];
    const stride = [...this.stride];
    steps.forEach((by, axis) => {
      if (!by) return;
      const [n = 0, s = 0] = [shape[axis], stride[axis]];
      if (by < 0) offset += s * (n - 1);
      shape[axis] = Math.ceil(n / Math.abs(by));
      stride[axis] = s * by;
    });
    return new NdArray(this.data, shape, stride, offset);
  }
}

/** Numbers as an array of this shape, slowest axis first unless strides say otherwise. */
export default function ndarray<T extends Values>(
  data: T,
  shape: number[] = [data.length],
  stride?: number[],
  offset?: number,
): NdArray<T> {
  const own: number[] = [];
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    own[axis] = step;
    step *= shape[axis] ?? 1;
  }
  const strides = stride ?? own;
  const first = strides.reduce((sum, s, axis) => (s < 0 ? sum - s * ((shape[axis] ?? 1) - 1) : sum), 0);
  return new NdArray(data, [...shape], [...strides], offset ?? first);
}
