import Foundation

/// A TIFF directory to be written, little-endian; values that do not fit in an entry follow it.
struct IFD {
  struct Entry {
    let tag: UInt16
    let type: UInt16
    let count: Int
    let value: Data

    private init(_ tag: UInt16, type: UInt16, count: Int, _ fill: (inout Data) -> Void) {
      self.tag = tag
      self.type = type
      self.count = count
      var data = Data()
      fill(&data)
      value = data
    }

    static func bytes(_ tag: UInt16, _ values: [UInt8]) -> Entry {
      Entry(tag, type: 1, count: values.count) { $0.append(contentsOf: values) }
    }

    static func undefined(_ tag: UInt16, _ values: [UInt8]) -> Entry {
      Entry(tag, type: 7, count: values.count) { $0.append(contentsOf: values) }
    }

    /// Printable ASCII only, as TIFF has it.
    static func text(_ tag: UInt16, _ value: String) -> Entry {
      let kept = value.unicodeScalars.map { (32..<127).contains($0.value) ? UInt8($0.value) : 63 }
      return Entry(tag, type: 2, count: kept.count + 1) { $0.append(contentsOf: kept + [0]) }
    }

    static func short(_ tag: UInt16, _ values: [Int]) -> Entry {
      Entry(tag, type: 3, count: values.count) { data in
        for value in values { data.append(little: UInt16(value)) }
      }
    }

    static func long(_ tag: UInt16, _ values: [Int]) -> Entry {
      Entry(tag, type: 4, count: values.count) { data in
        for value in values { data.append(little: UInt32(value)) }
      }
    }

    static func rational(_ tag: UInt16, _ values: [Double]) -> Entry {
      Entry(tag, type: 5, count: values.count) { data in
        for (numerator, denominator) in values.map(fraction) {
          data.append(little: UInt32(numerator))
          data.append(little: denominator)
        }
      }
    }

    static func signedRational(_ tag: UInt16, _ values: [Double]) -> Entry {
      Entry(tag, type: 10, count: values.count) { data in
        for (numerator, denominator) in values.map(fraction) {
          data.append(little: UInt32(bitPattern: Int32(numerator)))
          data.append(little: denominator)
        }
      }
    }

    static func double(_ tag: UInt16, _ values: [Double]) -> Entry {
      Entry(tag, type: 12, count: values.count) { data in
        for value in values { data.append(little: value.bitPattern) }
      }
    }

    /// Whole numbers as they are, others in steps of a power of ten that fits in 31 bits.
    private static func fraction(_ value: Double) -> (Int, UInt32) {
      if value == value.rounded(), abs(value) < 2e9 { return (Int(value), 1) }
      var denominator = 1_000_000.0
      while abs(value) * denominator > 2e9, denominator > 1 { denominator /= 10 }
      let limited = min(max(value * denominator, -2e9), 2e9)
      return (Int(limited.rounded()), UInt32(denominator))
    }
  }

  private let entries: [Entry]

  init(_ entries: [Entry]) {
    self.entries = entries.sorted { $0.tag < $1.tag }  // TIFF asks for rising tags
  }

  private var directory: Int { 2 + 12 * entries.count + 4 }

  /// In the file, values that follow included.
  var size: Int {
    directory + entries.filter { $0.value.count > 4 }.reduce(0) { $0 + even($1.value.count) }
  }

  /// - Parameter offset: where in the file it will lie, which is even.
  func encoded(at offset: Int) -> Data {
    var data = Data()
    var tail = Data()
    data.append(little: UInt16(entries.count))
    for entry in entries {
      data.append(little: entry.tag)
      data.append(little: entry.type)
      data.append(little: UInt32(entry.count))
      if entry.value.count > 4 {
        data.append(little: UInt32(offset + directory + tail.count))
        tail.append(entry.value)
        tail.append(Data(count: even(entry.value.count) - entry.value.count))
      } else {
        data.append(entry.value)
        data.append(Data(count: 4 - entry.value.count))
      }
    }
    data.append(little: UInt32(0))
    return data + tail
  }

  private func even(_ count: Int) -> Int { count + count % 2 }
}

extension Data {
  mutating func append<Value: FixedWidthInteger>(little value: Value) {
    Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
  }
}
