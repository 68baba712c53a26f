import Foundation

/// Reads TIFF directories of a file that is not to be trusted: every offset is checked.
struct TIFFReader {
  private let data: Data
  private let isLittle: Bool

  /// - Throws: `DenoiseError` when the file is no TIFF.
  init(_ data: Data) throws {
    let start = [UInt8](data.prefix(4))
    guard start == [0x49, 0x49, 42, 0] || start == [0x4D, 0x4D, 0, 42] else {
      throw DenoiseError(
        "the file is no TIFF and so no DNG; open a DNG with uncompressed Bayer samples")
    }
    self.data = data
    isLittle = start[0] == 0x49
  }

  func firstDirectory() throws -> Directory {
    try directory(at: integer(at: 4, bytes: 4))
  }

  typealias Directory = [UInt16: [Double]]

  /// The numeric values of each tag; texts come as their bytes.
  func directory(at offset: Int) throws -> Directory {
    let count = try integer(at: offset, bytes: 2)
    var found: Directory = [:]
    for index in 0..<count {
      let entry = offset + 2 + 12 * index
      let tag = UInt16(try integer(at: entry, bytes: 2))
      let type = try integer(at: entry + 2, bytes: 2)
      let values = try integer(at: entry + 4, bytes: 4)
      // An unknown type or a table of gains is not needed; strips of a huge file are few.
      guard let size = Self.sizes[type], values <= 65536 else { continue }
      let place = size * values <= 4 ? entry + 8 : try integer(at: entry + 8, bytes: 4)
      found[tag] = try (0..<values).map { try number(at: place + size * $0, type: type) }
    }
    return found
  }

  /// `count` samples of 16 bits.
  func samples(at offset: Int, count: Int) throws -> [UInt16] {
    guard offset >= 0, count >= 0, offset <= data.count, count <= (data.count - offset) / 2 else {
      throw damaged("image data are missing")
    }
    return data.withUnsafeBytes { bytes in
      (0..<count).map { index in
        let word = bytes.loadUnaligned(fromByteOffset: offset + 2 * index, as: UInt16.self)
        return isLittle ? UInt16(littleEndian: word) : UInt16(bigEndian: word)
      }
    }
  }

  private static let sizes = [1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 9: 4, 10: 8, 12: 8, 13: 4]

  private func number(at offset: Int, type: Int) throws -> Double {
    switch type {
    case 1, 2, 7: return Double(try integer(at: offset, bytes: 1))
    case 3: return Double(try integer(at: offset, bytes: 2))
    case 4, 13: return Double(try integer(at: offset, bytes: 4))
    case 9: return Double(try signed(at: offset))
    case 5:
      return Double(try integer(at: offset, bytes: 4))
        / Double(try integer(at: offset + 4, bytes: 4))
    case 10: return Double(try signed(at: offset)) / Double(try signed(at: offset + 4))
    default:
      let high = UInt64(try integer(at: offset + (isLittle ? 4 : 0), bytes: 4))
      let low = UInt64(try integer(at: offset + (isLittle ? 0 : 4), bytes: 4))
      return Double(bitPattern: high << 32 | low)
    }
  }

  private func signed(at offset: Int) throws -> Int32 {
    Int32(bitPattern: UInt32(try integer(at: offset, bytes: 4)))
  }

  private func integer(at offset: Int, bytes: Int) throws -> Int {
    guard offset >= 0, offset <= data.count - bytes else { throw damaged("a tag lies outside") }
    let part = data[data.startIndex + offset..<data.startIndex + offset + bytes]
    return (isLittle ? Array(part.reversed()) : Array(part)).reduce(0) { $0 << 8 | Int($1) }
  }

  private func damaged(_ what: String) -> DenoiseError {
    DenoiseError("the DNG is cut off or damaged (\(what)); copy the file again from its source")
  }
}
