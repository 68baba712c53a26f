import Foundation

/// A bundle on disk whose files are all as they were written.
public struct ModelBundle: Sendable {
  public let folder: URL
  public let manifest: Manifest

  /// - Throws: `DenoiseError` when `folder` is no bundle, a damaged one, or of another schema.
  public init(at folder: URL) throws {
    let place = folder.appendingPathComponent("manifest.json")
    guard let data = try? Data(contentsOf: place) else {
      throw DenoiseError(
        "\(folder.lastPathComponent) is not a bundle: it has no manifest.json; "
          + "give a folder that 'fa-mobile export' wrote")
    }
    try Checksums.verify(folder)
    self.folder = folder
    manifest = try Manifest.parse(data, source: "manifest.json of \(folder.lastPathComponent)")
  }

  init(unchecked folder: URL, _ manifest: Manifest) {
    self.folder = folder
    self.manifest = manifest
  }

  /// Where a file of the manifest lies.
  public func url(of name: String) -> URL {
    folder.appendingPathComponent(name)
  }

  public func goldenRaw(_ vector: GoldenVector) throws -> Mosaic<UInt16> {
    let data = try golden(vector.raw, vector, bytes: 2)
    return try plane(vector, Little.uint16(data))
  }

  public func goldenReference(_ vector: GoldenVector) throws -> Mosaic<Float> {
    try plane(vector, Little.float32(golden(vector.reference, vector, bytes: 4)))
  }

  public func goldenTruth(_ vector: GoldenVector) throws -> Mosaic<Float> {
    try plane(vector, Little.float32(golden(vector.truth, vector, bytes: 4)))
  }

  private func plane<Sample>(_ vector: GoldenVector, _ samples: [Sample]) throws -> Mosaic<Sample> {
    try Mosaic(rows: vector.height, columns: vector.width, samples: samples)
  }

  private func golden(_ name: String, _ vector: GoldenVector, bytes: Int) throws -> Data {
    let wanted = vector.height * vector.width * bytes
    guard let data = try? Data(contentsOf: url(of: name)), data.count == wanted else {
      throw DenoiseError(
        "\(name) of bundle \(folder.lastPathComponent) is not \(wanted) bytes; export it again")
    }
    return data
  }
}

/// Headerless little-endian numbers, whatever the machine's own order and alignment.
enum Little {
  static func uint16(_ data: Data) -> [UInt16] {
    data.withUnsafeBytes { bytes in
      (0..<bytes.count / 2).map {
        UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self))
      }
    }
  }

  static func float32(_ data: Data) -> [Float] {
    data.withUnsafeBytes { bytes in
      (0..<bytes.count / 4).map {
        let bits = bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)
        return Float(bitPattern: UInt32(littleEndian: bits))
      }
    }
  }
}
