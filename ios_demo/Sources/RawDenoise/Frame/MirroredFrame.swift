/// Geometry of a frame that is mirrored at its borders and read tile by tile, without a padded copy.
public struct MirroredFrame: Sendable {
  private let rowIndices: [Int]
  private let columnIndices: [Int]
  private let rows: Int
  private let columns: Int
  /// Row and column of the padded frame at which the frame itself starts.
  public let top: Int
  public let left: Int

  public init(
    rows: Int, columns: Int, cfa: BayerPattern, multiple: Int, minimum: (rows: Int, columns: Int)
  ) {
    let pads = Phase.pads(
      rows: rows, columns: columns, cfa: cfa, multiple: multiple, minimum: minimum)
    rowIndices = Phase.mirroredIndices(rows, pads.rows)
    columnIndices = Phase.mirroredIndices(columns, pads.columns)
    self.rows = rows
    self.columns = columns
    top = pads.rows.before
    left = pads.columns.before
  }

  public var paddedRows: Int { rowIndices.count }
  public var paddedColumns: Int { columnIndices.count }

  /// A tile's samples in DN of the sensor, row by row, into a buffer that is used again.
  func read(_ tile: Tile, of mosaic: Mosaic<UInt16>, scale: LevelScale, into buffer: inout [Float])
  {
    buffer.removeAll(keepingCapacity: true)
    let across = columnIndices[tile.columns.start..<tile.columns.stop]
    mosaic.samples.withUnsafeBufferPointer { samples in
      for row in rowIndices[tile.rows.start..<tile.rows.stop] {
        let start = row * columns
        for column in across {
          buffer.append(scale.toSensor(samples[start + column], row: row, column: column))
        }
      }
    }
  }

  /// Rows and columns of the frame that a tile decides, its padding left out.
  public func written(_ tile: Tile) -> (rows: Range<Int>, columns: Range<Int>) {
    (within(tile.rows, before: top, rows), within(tile.columns, before: left, columns))
  }

  /// Put what a tile decides into the result.
  ///
  /// - Throws: `DenoiseError` for a result that is not finite, which no DN can hold.
  func keep(_ tile: Tile, _ result: [Float], scale: LevelScale, in mosaic: inout Mosaic<UInt16>)
    throws
  {
    let part = written(tile)
    let finite = mosaic.samples.withUnsafeMutableBufferPointer { samples in
      for row in part.rows {
        let from = (row + top - tile.rows.start) * tile.columns.size + left - tile.columns.start
        for column in part.columns {
          let value = result[from + column]
          guard value.isFinite else { return false }
          samples[row * columns + column] = scale.toFrame(value, row: row, column: column)
        }
      }
      return true
    }
    guard finite else {
      throw DenoiseError(
        "the model gave values that are no numbers; nothing was changed: "
          + "run the self-test, then export the bundle again")
    }
  }

  private func within(_ span: TileSpan, before: Int, _ length: Int) -> Range<Int> {
    let low = min(max(span.keepStart - before, 0), length)
    return low..<max(low, min(span.keepStop - before, length))
  }
}
