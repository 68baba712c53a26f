import Foundation

/// Reads DNG files with uncompressed 16-bit Bayer samples, such as `DNGWriter`'s and fa-mobile's.
public enum DNGReader {
  /// Samples that a phone's memory is not asked to hold.
  private static let mostSamples = 100_000_000

  /// - Throws: `DenoiseError` for what is no such file: compressed, cut off, linear, X-Trans, ...
  public static func decode(_ data: Data) throws -> RawFrame {
    let reader = try TIFFReader(data)
    let first = try reader.firstDirectory()
    guard first[Tag.dngVersion] != nil else {
      throw DenoiseError("the file is a TIFF but no DNG; open a DNG")
    }
    let page = try rawPage(reader, first)
    let mosaic = try mosaic(reader, page)
    let cfa = try pattern(page)
    let white = page[Tag.whiteLevel]?.first ?? 65535
    return try RawFrame(
      mosaic: mosaic, cfa: cfa, blackLevel: try blackLevel(page, cfa), whiteLevel: white,
      iso: try iso(reader, first), noise: noise(page) ?? noise(first),
      make: text(first[Tag.make]), model: text(first[Tag.model]),
      colorMatrix: values(first[Tag.colorMatrix1], count: 9),
      asShotNeutral: values(first[Tag.asShotNeutral], count: 3).flatMap { neutral in
        neutral.allSatisfy { $0 > 0 } ? neutral : nil
      })
  }

  /// IFD 0, or its SubIFD where IFD 0 is a preview.
  private static func rawPage(_ reader: TIFFReader, _ first: TIFFReader.Directory) throws
    -> TIFFReader.Directory
  {
    let offsets = (first[Tag.subIFDs] ?? []).prefix(8)
    let pages = [first] + (try offsets.map { try reader.directory(at: place($0)) })
    let cfa = Double(Photometric.colorFilterArray)
    let full = pages.filter { ($0[Tag.newSubfileType]?.first ?? 0) == 0 }
    guard let page = full.first(where: { $0[Tag.photometric]?.first == cfa }) else {
      throw DenoiseError(
        "the DNG holds demosaiced colours (as Apple ProRAW does), not a Bayer mosaic; "
          + "open one with Bayer RAW")
    }
    return page
  }

  private static func mosaic(_ reader: TIFFReader, _ page: TIFFReader.Directory) throws
    -> Mosaic<UInt16>
  {
    func whole(_ tag: UInt16, _ missing: Double) -> Int { place(page[tag]?.first ?? missing) }
    let (rows, columns) = (whole(Tag.imageLength, 0), whole(Tag.imageWidth, 0))
    let (bits, compression) = (whole(Tag.bitsPerSample, 1), whole(Tag.compression, 1))
    guard compression == 1, bits == 16, whole(Tag.samplesPerPixel, 1) == 1 else {
      throw DenoiseError(
        "the DNG has compression \(compression) and \(bits) bits a sample; allowed are "
          + "uncompressed samples of 16 bits (compression 1): take a capture in the app, or convert "
          + "the file to an uncompressed DNG on a computer")
    }
    guard rows >= 2, columns >= 2, rows <= mostSamples / columns else {
      throw DenoiseError(
        "the DNG is \(rows) x \(columns); allowed are 2 x 2 to \(mostSamples) samples; use a crop")
    }
    guard page[Tag.linearizationTable] == nil else {
      throw DenoiseError(
        "the DNG has a linearization table, so its samples are no DN; allowed are linear samples: "
          + "convert the file to an uncompressed DNG on a computer")
    }
    var samples: [UInt16] = []
    samples.reserveCapacity(rows * columns)
    let offsets = page[Tag.stripOffsets] ?? []
    for (offset, bytes) in zip(offsets, page[Tag.stripByteCounts] ?? []) {
      let wanted = min(place(bytes) / 2, rows * columns - samples.count)
      samples += try reader.samples(at: place(offset), count: wanted)
    }
    guard samples.count == rows * columns else {
      throw DenoiseError(
        "the DNG is cut off: \(samples.count) of \(rows * columns) samples are there; "
          + "copy the file again from its source")
    }
    let whole = try Mosaic(rows: rows, columns: columns, samples: samples)
    return try page[Tag.activeArea].map { try active($0.map(place), of: whole) } ?? whole
  }

  /// Without masked borders; pattern and black levels are those from the active area's origin on.
  private static func active(_ area: [Int], of mosaic: Mosaic<UInt16>) throws -> Mosaic<UInt16> {
    guard area.count == 4, area[0] >= 0, area[1] >= 0, area[0] < area[2], area[1] < area[3],
      area[2] <= mosaic.rows, area[3] <= mosaic.columns
    else {
      throw DenoiseError(
        "the DNG's ActiveArea \(area) is not inside its \(mosaic.rows) x \(mosaic.columns) "
          + "samples; copy the file again from its source")
    }
    let rows = (area[0]..<area[2]).map { row in
      mosaic.samples[row * mosaic.columns + area[1]..<row * mosaic.columns + area[3]]
    }
    return try Mosaic(
      rows: area[2] - area[0], columns: area[3] - area[1], samples: Array(rows.joined()))
  }

  private static func pattern(_ page: TIFFReader.Directory) throws -> BayerPattern {
    let size = page[Tag.cfaRepeatPatternDim] ?? []
    let letters = (page[Tag.cfaPattern] ?? []).map { code in
      switch code {
      case 0: "R"
      case 1: "G"
      case 2: "B"
      default: "?"
      }
    }
    guard size == [2, 2] else {
      let known = [[4, 4]: "Quad-Bayer", [6, 6]: "X-Trans"]
      return try BayerPattern(named: known[size.map(place)] ?? letters.joined())
    }
    return try BayerPattern(named: letters.joined())
  }

  private static func blackLevel(_ page: TIFFReader.Directory, _ cfa: BayerPattern) throws
    -> [Double]
  {
    let levels = page[Tag.blackLevel] ?? [0]
    switch levels.count {
    case 1: return Array(repeating: levels[0], count: 4)
    case 4 where page[Tag.blackLevelRepeatDim] == [2, 2]: return cfa.cellOrder(levels)
    default:
      throw DenoiseError(
        "the DNG has \(levels.count) black levels; allowed are 1, or 2 x 2; "
          + "convert the file to an uncompressed DNG on a computer")
    }
  }

  private static func iso(_ reader: TIFFReader, _ first: TIFFReader.Directory) throws -> Double? {
    let exif = try first[Tag.exifIFD]?.first.map { try reader.directory(at: place($0)) } ?? [:]
    let found = [exif[Tag.isoSpeed], exif[Tag.isoSpeedRatings], first[Tag.isoSpeedRatings]]
    return found.compactMap { $0?.first }.first { $0 > 0 && $0.isFinite }
  }

  /// The pair of green, or the only one.
  private static func noise(_ page: TIFFReader.Directory) -> NoiseParameters? {
    let profile = page[Tag.noiseProfile] ?? []
    let pair = profile.count > 3 ? Array(profile[2...3]) : profile
    guard pair.count == 2, pair[0] > 0, pair[1] >= 0, pair.allSatisfy(\.isFinite) else {
      return nil
    }
    return NoiseParameters(a: pair[0], b: pair[1])
  }

  private static func values(_ given: [Double]?, count: Int) -> [Double]? {
    guard let given, given.count == count, given.allSatisfy(\.isFinite) else { return nil }
    return given
  }

  /// A size or an offset; -1, which no check lets pass, for what is no whole number.
  private static func place(_ value: Double) -> Int { Int(exactly: value) ?? -1 }

  private static func text(_ bytes: [Double]?) -> String {
    let printable = (bytes ?? []).filter { (32..<127).contains($0) }.map { UInt8($0) }
    return String(decoding: printable, as: UTF8.self).trimmingCharacters(in: .whitespaces)
  }
}
