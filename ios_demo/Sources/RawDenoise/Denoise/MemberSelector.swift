/// Which member of the array serves a noise.
public enum MemberSelector {
  /// The number of edges that `a` is not below: total, monotone and clamped to the ends.
  ///
  /// Compared in float32, as in every exported artifact. NaN selects 0 (and is refused before).
  public static func member(forShotNoise a: Float, edges: [Double]) -> Int {
    edges.reduce(0) { count, edge in a >= Float(edge) ? count + 1 : count }
  }
}
