/// Digital numbers as a file holds them.
public enum DN {
  /// Clipped to 0..white, halves rounded to even. `value` is not NaN.
  public static func whole(_ value: Float, white: Float) -> Int {
    Int(min(max(value, 0), white).rounded(.toNearestOrEven))
  }
}
