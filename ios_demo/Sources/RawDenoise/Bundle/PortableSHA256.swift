import Foundation

/// SHA-256 (FIPS 180-4), fed in parts. For systems without CryptoKit; see `FileDigest`.
struct PortableSHA256 {
  private var state: [UInt32]
  private var pending: [UInt8] = []
  private var length: UInt64 = 0

  init() {
    // The first 32 bits of the fractional parts of the square roots of the first 8 primes.
    state = Self.primes.prefix(8).map { Self.fraction(Double($0).squareRoot()) }
  }

  mutating func update(data: Data) {
    length += UInt64(data.count)
    pending.append(contentsOf: data)
    let whole = pending.count / 64 * 64
    pending.withUnsafeBufferPointer { bytes in
      for start in stride(from: 0, to: whole, by: 64) {
        Self.mix(UnsafeBufferPointer(rebasing: bytes[start..<start + 64]), into: &state)
      }
    }
    pending.removeFirst(whole)
  }

  mutating func finalize() -> [UInt8] {
    let bits = length * 8
    let zeros = (119 - Int(length % 64)) % 64
    var tail: [UInt8] = [0x80] + [UInt8](repeating: 0, count: zeros)
    tail += (0..<8).map { UInt8(truncatingIfNeeded: bits >> (56 - 8 * UInt64($0))) }
    update(data: Data(tail))
    return state.flatMap { word in
      (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * UInt32($0))) }
    }
  }

  private static func mix(_ block: UnsafeBufferPointer<UInt8>, into state: inout [UInt32]) {
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { w in
      for i in 0..<16 {
        w[i] = (0..<4).reduce(0) { $0 << 8 | UInt32(block[4 * i + $1]) }
      }
      for i in 16..<64 {
        let s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ (w[i - 15] >> 3)
        let s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ (w[i - 2] >> 10)
        w[i] = w[i - 16] &+ s0 &+ w[i - 7] &+ s1
      }
      var (a, b, c, d) = (state[0], state[1], state[2], state[3])
      var (e, f, g, h) = (state[4], state[5], state[6], state[7])
      for i in 0..<64 {
        let s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)
        let t1 = h &+ s1 &+ ((e & f) ^ (~e & g)) &+ constants[i] &+ w[i]
        let s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)
        let t2 = s0 &+ ((a & b) ^ (a & c) ^ (b & c))
        (h, g, f, e, d, c, b, a) = (g, f, e, d &+ t1, c, b, a, t1 &+ t2)
      }
      for (index, value) in [a, b, c, d, e, f, g, h].enumerated() { state[index] &+= value }
    }
  }

  private static func rotate(_ word: UInt32, _ by: UInt32) -> UInt32 {
    word >> by | word << (32 - by)
  }

  private static func fraction(_ root: Double) -> UInt32 {
    UInt32((root - root.rounded(.down)) * 4_294_967_296)
  }

  private static let primes: [Int] = (2...311).filter { n in !(2..<n).contains { n % $0 == 0 } }

  // The same of the cube roots of the first 64; a double has the 32 bits behind a one-digit root.
  private static let constants: [UInt32] = primes.map { fraction(cbrt(Double($0))) }
}
