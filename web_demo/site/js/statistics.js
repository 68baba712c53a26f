/** Median and 90th percentile as fa_mobile/bench/statistics.py defines them. */

/** Linear between the two nearest order statistics (NumPy's default). */
export function quantile(samples, share) {
  if (!samples.length) throw new RangeError("no samples were given");
  const ordered = Float64Array.from(samples).sort();
  const position = share * (ordered.length - 1);
  const low = Math.floor(position);
  const high = Math.min(low + 1, ordered.length - 1);
  return ordered[low] + (position - low) * (ordered[high] - ordered[low]);
}

export const median = (samples) => quantile(samples, 0.5);
export const p90 = (samples) => quantile(samples, 0.9);
