/// The statistics of a benchmark report, as `fa_mobile/bench/statistics.py` has them.
public enum Statistics {
  /// - Parameter samples: at least one.
  public static func median(_ samples: [Double]) -> Double {
    percentile(samples, 0.5)
  }

  /// Linear between the two nearest order statistics.
  public static func p90(_ samples: [Double]) -> Double {
    percentile(samples, 0.9)
  }

  private static func percentile(_ samples: [Double], _ share: Double) -> Double {
    let ordered = samples.sorted()
    let position = share * Double(ordered.count - 1)
    let low = Int(position)
    let high = min(low + 1, ordered.count - 1)
    return ordered[low] + (position - Double(low)) * (ordered[high] - ordered[low])
  }
}
