/// One plane of samples, row by row.
public struct Mosaic<Sample: Sendable>: Sendable {
  public let rows: Int
  public let columns: Int
  public var samples: [Sample]

  /// - Throws: `DenoiseError` when the samples do not fill the plane, or it is below 2 x 2.
  public init(rows: Int, columns: Int, samples: [Sample]) throws {
    guard rows >= 2, columns >= 2, samples.count == rows * columns else {
      throw DenoiseError(
        "a mosaic of \(rows) x \(columns) with \(samples.count) samples was given; allowed are "
          + "rows x columns samples, at least 2 x 2; take the capture again")
    }
    self.rows = rows
    self.columns = columns
    self.samples = samples
  }

  public subscript(row: Int, column: Int) -> Sample {
    get { samples[row * columns + column] }
    set { samples[row * columns + column] = newValue }
  }
}

extension Mosaic: Equatable where Sample: Equatable {}

extension Mosaic {
  /// Mirror-padded so that red is at the origin; see `Phase`.
  public func paddedToPhase(
    _ cfa: BayerPattern, multiple: Int, minimum: (rows: Int, columns: Int)
  ) -> (mosaic: Mosaic<Sample>, top: Int, left: Int) {
    let pads = Phase.pads(
      rows: rows, columns: columns, cfa: cfa, multiple: multiple, minimum: minimum)
    let rowIndices = Phase.mirroredIndices(rows, pads.rows)
    let columnIndices = Phase.mirroredIndices(columns, pads.columns)
    var padded: [Sample] = []
    padded.reserveCapacity(rowIndices.count * columnIndices.count)
    for row in rowIndices {
      for column in columnIndices { padded.append(self[row, column]) }
    }
    let result = Mosaic(
      unchecked: padded, rows: rowIndices.count, columns: columnIndices.count)
    return (result, pads.rows.before, pads.columns.before)
  }

  /// Planes R, Gr, Gb, B of an RGGB mosaic with even sides.
  public func packed() throws -> [[Sample]] {
    guard rows % 2 == 0, columns % 2 == 0 else {
      throw DenoiseError(
        "a mosaic of \(rows) x \(columns) cannot be packed: both sides must be even; pad it first")
    }
    return (0..<4).map { cell in
      stride(from: cell / 2, to: rows, by: 2).flatMap { row in
        stride(from: cell % 2, to: columns, by: 2).map { self[row, $0] }
      }
    }
  }

  init(unchecked samples: [Sample], rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
    self.samples = samples
  }
}
