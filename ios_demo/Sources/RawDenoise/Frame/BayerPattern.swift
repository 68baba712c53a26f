/// The four 2 x 2 Bayer patterns, named by their cell row by row.
public enum BayerPattern: String, Codable, CaseIterable, Sendable {
  case rggb = "RGGB"
  case grbg = "GRBG"
  case gbrg = "GBRG"
  case bggr = "BGGR"

  /// - Throws: `DenoiseError` for X-Trans, Quad-Bayer and all else that is not a Bayer pattern.
  public init(named name: String) throws {
    guard let pattern = BayerPattern(rawValue: name.uppercased()) else {
      let allowed = BayerPattern.allCases.map(\.rawValue).joined(separator: ", ")
      throw DenoiseError(
        "colour filter array '\(name)' was given; allowed are \(allowed); "
          + "convert (remosaic) the capture to a 2 x 2 Bayer pattern first")
    }
    self = pattern
  }

  /// Row and column (0 or 1) of the red sample in the cell.
  public var redOffset: (row: Int, column: Int) {
    switch self {
    case .rggb: (0, 0)
    case .grbg: (0, 1)
    case .gbrg: (1, 0)
    case .bggr: (1, 1)
    }
  }

  /// R, Gr, Gb, B order to the cell order of a mosaic of this pattern.
  ///
  /// Its own inverse, because red is at most one step away from the origin.
  public func cellOrder<Value>(_ values: [Value]) -> [Value] {
    let red = redOffset
    return (0..<4).map { cell in
      values[2 * ((cell / 2 + red.row) % 2) + (cell % 2 + red.column) % 2]
    }
  }
}
