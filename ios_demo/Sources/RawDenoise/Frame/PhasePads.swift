/// Samples that are mirrored in front of and behind one axis.
public struct AxisPad: Equatable, Sendable {
  public let before: Int
  public let after: Int
}

/// Brings red to the origin and both sides to what a network takes.
///
/// Mirroring does not repeat the edge sample: index -1 takes the value of index 1, so that every
/// sample stays on its own colour.
public enum Phase {
  /// - Parameters:
  ///   - multiple: an even number of which the padded sides are multiples.
  ///   - minimum: rows and columns that they are at least.
  public static func pads(
    rows: Int, columns: Int, cfa: BayerPattern, multiple: Int, minimum: (rows: Int, columns: Int)
  ) -> (rows: AxisPad, columns: AxisPad) {
    let red = cfa.redOffset
    return (
      pad(rows, before: red.row, multiple: multiple, least: minimum.rows),
      pad(columns, before: red.column, multiple: multiple, least: minimum.columns)
    )
  }

  /// For each index of the padded axis, the index of the sample that it shows.
  public static func mirroredIndices(_ side: Int, _ pad: AxisPad) -> [Int] {
    // A pad longer than the image reflects back and forth; the period is even, so colours stay.
    let period = 2 * (side - 1)
    return (-pad.before..<side + pad.after).map { index in
      let folded = ((index % period) + period) % period
      return folded < side ? folded : period - folded
    }
  }

  private static func pad(_ side: Int, before: Int, multiple: Int, least: Int) -> AxisPad {
    let wanted = max(before + side, least)
    let total = (wanted + multiple - 1) / multiple * multiple
    return AxisPad(before: before, after: total - before - side)
  }
}
