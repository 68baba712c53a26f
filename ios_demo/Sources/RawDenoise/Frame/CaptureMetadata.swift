/// From what a camera says of a Bayer RAW capture to a frame. Keys are those of ImageIO, as text:
/// so it is tested where there is no ImageIO.
public struct CaptureMetadata {
  public let cfa: BayerPattern
  public let blackLevel: [Double]
  public let whiteLevel: Double
  public let iso: Double?
  public let noise: NoiseParameters?
  public let colorMatrix: [Double]?
  public let asShotNeutral: [Double]?

  /// - Parameters:
  ///   - pixelFormat: of the pixel buffer, a four-character code.
  ///   - metadata: of the photo, with the dictionaries "{DNG}" and "{Exif}".
  /// - Throws: `DenoiseError` for a format that is not plain Bayer, and where levels are missing:
  ///   guessed levels would make wrong colours and a wrong noise.
  public init(pixelFormat: UInt32, metadata: [String: Any]) throws {
    cfa = try Self.pattern(of: pixelFormat)
    let dng = metadata["{DNG}"] as? [String: Any] ?? [:]
    let exif = metadata["{Exif}"] as? [String: Any] ?? [:]
    let black = Self.numbers(dng["BlackLevel"])
    guard let white = Self.numbers(dng["WhiteLevel"]).first, black.count == 1 || black.count == 4
    else {
      throw DenoiseError(
        "the camera states no black and white level for this capture; allowed are captures with "
          + "both; try another lens of the phone")
    }
    whiteLevel = white
    blackLevel = black.count == 4 ? cfa.cellOrder(black) : Array(repeating: black[0], count: 4)
    iso = Self.numbers(exif["ISOSpeedRatings"]).first { $0 > 0 }
    let profile = Self.numbers(dng["NoiseProfile"])
    let pair = profile.count > 3 ? Array(profile[2...3]) : profile
    noise =
      pair.count == 2 && pair[0] > 0 && pair[1] >= 0
      ? NoiseParameters(a: pair[0], b: pair[1]) : nil
    let matrix = Self.numbers(dng["ColorMatrix2"] ?? dng["ColorMatrix1"])
    colorMatrix = matrix.count == 9 ? matrix : nil
    let neutral = Self.numbers(dng["AsShotNeutral"])
    asShotNeutral = neutral.count == 3 && neutral.allSatisfy { $0 > 0 } ? neutral : nil
  }

  public func frame(_ mosaic: Mosaic<UInt16>, make: String, model: String) throws -> RawFrame {
    try RawFrame(
      mosaic: mosaic, cfa: cfa, blackLevel: blackLevel, whiteLevel: whiteLevel, iso: iso,
      noise: noise, make: make, model: model, colorMatrix: colorMatrix,
      asShotNeutral: asShotNeutral)
  }

  /// Core Video's 14-bit Bayer formats, a sample in 16 bits: 'grb4', 'rgg4', 'bgg4', 'gbr4'.
  static func pattern(of pixelFormat: UInt32) throws -> BayerPattern {
    let shifts: [UInt32] = [24, 16, 8, 0]
    let code = String(
      decoding: shifts.map { UInt8(truncatingIfNeeded: pixelFormat >> $0) }, as: UTF8.self)
    switch code {
    case "rgg4": return .rggb
    case "grb4": return .grbg
    case "gbr4": return .gbrg
    case "bgg4": return .bggr
    default:
      throw DenoiseError(
        "a capture of pixel format '\(code)' was given; allowed are Bayer samples of 14 bits "
          + "(rgg4, grb4, gbr4, bgg4); try another lens of the phone")
    }
  }

  /// A number or a list of them, whatever wraps it; what is not finite is dropped.
  private static func numbers(_ value: Any?) -> [Double] {
    switch value {
    case let list as [Any]: list.flatMap { numbers($0) }
    case let number as Double: number.isFinite ? [number] : []
    case let number as Float: number.isFinite ? [Double(number)] : []
    case let number as Int: [Double(number)]
    default: []
    }
  }
}

extension Mosaic where Sample == UInt16 {
  /// The samples of a buffer whose rows may be padded.
  ///
  /// - Throws: `DenoiseError` when the buffer is too small for its own sizes.
  public init(rows: Int, columns: Int, bytesPerRow: Int, bytes: UnsafeRawBufferPointer) throws {
    guard rows >= 2, columns >= 2, bytesPerRow >= 2 * columns, bytesPerRow % 2 == 0,
      bytes.count >= bytesPerRow * (rows - 1) + 2 * columns
    else {
      throw DenoiseError(
        "a buffer of \(bytes.count) bytes was given for \(rows) x \(columns) samples; "
          + "take the capture again")
    }
    var samples: [UInt16] = []
    samples.reserveCapacity(rows * columns)
    for row in 0..<rows {
      for column in 0..<columns {
        let word = bytes.loadUnaligned(
          fromByteOffset: row * bytesPerRow + 2 * column, as: UInt16.self)
        samples.append(UInt16(littleEndian: word))
      }
    }
    try self.init(rows: rows, columns: columns, samples: samples)
  }
}
