import Foundation

#if canImport(CryptoKit)
  import CryptoKit
#endif

/// SHA-256 of files, as lower-case hex.
///
/// CryptoKit where the system has it. Elsewhere (Linux) `PortableSHA256`: swift-crypto would have
/// to be fetched and built, BoringSSL included, and the tests run without a network.
public enum FileDigest {
  private static let chunk = 1 << 20

  /// - Throws: `DenoiseError` when the file cannot be read.
  public static func sha256(of file: URL) throws -> String {
    let handle: FileHandle
    do {
      handle = try FileHandle(forReadingFrom: file)
    } catch {
      throw DenoiseError("\(file.lastPathComponent) cannot be read; copy the bundle again")
    }
    defer { try? handle.close() }
    var hasher = Hasher()
    while let part = try handle.read(upToCount: chunk), !part.isEmpty {
      hasher.update(data: part)
    }
    return hex(hasher.finalize())
  }

  static func sha256(of data: Data) -> String {
    var hasher = Hasher()
    hasher.update(data: data)
    return hex(hasher.finalize())
  }

  private static func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
  }

  #if canImport(CryptoKit)
    private typealias Hasher = SHA256
  #else
    private typealias Hasher = PortableSHA256
  #endif
}
