import Foundation

/// Writes a frame as an uncompressed 16-bit CFA DNG 1.4: iOS has no encoder for changed samples.
public enum DNGWriter {
  /// Sides that RAW readers accept.
  static let sides = 22...65535
  /// XYZ (D65) to linear sRGB: stands in where a frame has no colour matrix.
  private static let sRGB = [
    3.2406, -1.5372, -0.4986, -0.9689, 1.8758, 0.0415, 0.0557, -0.204, 1.057,
  ]
  private static let d65 = 21

  /// - Throws: `DenoiseError` for a side or a white level that a DNG cannot have.
  public static func encode(_ frame: RawFrame) throws -> Data {
    let mosaic = frame.mosaic
    guard sides.contains(mosaic.rows), sides.contains(mosaic.columns) else {
      throw DenoiseError(
        "a mosaic of \(mosaic.rows) x \(mosaic.columns) samples cannot become a DNG: allowed are "
          + "sides of 22 to 65535; use another crop")
    }
    guard frame.whiteLevel == frame.whiteLevel.rounded() else {
      throw DenoiseError(
        "white level \(frame.whiteLevel) cannot become a DNG: allowed are whole DN; round it")
    }
    let samples = 8
    let exif = samples + 2 * mosaic.samples.count
    var data = Data(capacity: exif + 2048)
    data.append(contentsOf: [0x49, 0x49, 42, 0])
    let exifIFD = frame.iso.map { IFD(exifEntries(iso: $0)) }
    let first = exif + (exifIFD?.size ?? 0)
    data.append(little: UInt32(first))
    mosaic.samples.withUnsafeBufferPointer { pointer in
      for sample in pointer { data.append(little: sample) }
    }
    if let exifIFD { data.append(exifIFD.encoded(at: exif)) }
    let entries = entries(frame, samples: samples, exif: exifIFD == nil ? nil : exif)
    data.append(IFD(entries).encoded(at: first))
    return data
  }

  private static func entries(_ frame: RawFrame, samples: Int, exif: Int?) -> [IFD.Entry] {
    let mosaic = frame.mosaic
    let camera = "\(frame.make) \(frame.model)".trimmingCharacters(in: .whitespaces)
    var entries: [IFD.Entry] = [
      .long(Tag.newSubfileType, [0]),
      .long(Tag.imageWidth, [mosaic.columns]), .long(Tag.imageLength, [mosaic.rows]),
      .short(Tag.bitsPerSample, [16]), .short(Tag.compression, [1]),
      .short(Tag.photometric, [Photometric.colorFilterArray]),
      .text(Tag.make, frame.make), .text(Tag.model, frame.model),
      .long(Tag.stripOffsets, [samples]), .short(Tag.orientation, [1]),
      .short(Tag.samplesPerPixel, [1]), .long(Tag.rowsPerStrip, [mosaic.rows]),
      .long(Tag.stripByteCounts, [2 * mosaic.samples.count]), .text(Tag.software, "fa-mobile"),
      .short(Tag.cfaRepeatPatternDim, [2, 2]),
      .bytes(Tag.cfaPattern, frame.cfa.cellOrder([0, 1, 1, 2])),
      .bytes(Tag.dngVersion, [1, 4, 0, 0]), .bytes(Tag.dngBackwardVersion, [1, 1, 0, 0]),
      .text(Tag.uniqueCameraModel, camera.isEmpty ? "unknown camera" : camera),
      .bytes(Tag.cfaPlaneColor, [0, 1, 2]), .short(Tag.cfaLayout, [1]),
      .short(Tag.blackLevelRepeatDim, [2, 2]),
      .rational(Tag.blackLevel, frame.cfa.cellOrder(frame.blackLevel)),
      .long(Tag.whiteLevel, [Int(frame.whiteLevel)]),
      .signedRational(Tag.colorMatrix1, frame.colorMatrix ?? sRGB),
      .rational(Tag.asShotNeutral, frame.asShotNeutral ?? [1, 1, 1]),
      .short(Tag.calibrationIlluminant1, [d65]),
    ]
    if let noise = frame.noise {
      let pair = [noise.a, noise.b]
      entries.append(.double(Tag.noiseProfile, pair + pair + pair))
    }
    if let exif { entries.append(.long(Tag.exifIFD, [exif])) }
    return entries
  }

  private static func exifEntries(iso: Double) -> [IFD.Entry] {
    let speed = Int(min(max(iso.rounded(), 1), 4e9))
    return [
      .short(Tag.isoSpeedRatings, [min(speed, 65535)]), .short(Tag.sensitivityType, [3]),
      .long(Tag.isoSpeed, [speed]), .undefined(Tag.exifVersion, Array("0230".utf8)),
    ]
  }
}
