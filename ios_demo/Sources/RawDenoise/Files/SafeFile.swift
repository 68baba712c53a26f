import Foundation

/// Files that are whole or not there.
public enum SafeFile {
  /// Write beside the place and rename, so that a full disk or a killed app leaves nothing half-made.
  ///
  /// - Throws: `DenoiseError`; then whatever was at `place` before is unchanged.
  public static func write(_ data: Data, to place: URL) throws {
    let partial = place.deletingLastPathComponent()
      .appendingPathComponent(".partial-\(UUID().uuidString)")
    do {
      try data.write(to: partial)
      // Data.write reports success for what it could not flush on some systems: look at the size.
      let size = try FileManager.default.attributesOfItem(atPath: partial.path)[.size] as? NSNumber
      guard size?.intValue == data.count else { throw CocoaError(.fileWriteOutOfSpace) }
      // One step of the file system; Foundation's replaceItemAt wants a file to replace.
      guard rename(partial.path, place.path) == 0 else { throw CocoaError(.fileWriteUnknown) }
    } catch {
      try? FileManager.default.removeItem(at: partial)
      throw DenoiseError(describe(error, place, data.count))
    }
  }

  private static func describe(_ error: any Error, _ place: URL, _ bytes: Int) -> String {
    let megabytes = (bytes + 999_999) / 1_000_000
    let full = (error as? CocoaError)?.code == .fileWriteOutOfSpace
    let reason = full ? "the storage is full" : "it cannot be written"
    return "\(place.lastPathComponent) was not saved: \(reason); \(megabytes) MB are needed: "
      + "free some storage (or choose another place) and save again"
  }
}
