import Foundation
import XCTest

@testable import RawDenoise

/// The bundles that the tests read: the variable FA_MOBILE_BUNDLES names their folders, parted by
/// colons. The first is an ONNX bundle of the IMX258, whose text some tests damage.
func testBundleFolders() throws -> [URL] {
  guard let paths = ProcessInfo.processInfo.environment["FA_MOBILE_BUNDLES"], !paths.isEmpty else {
    throw DenoiseError(
      "FA_MOBILE_BUNDLES is not set; name folders of bundles that 'fa-mobile export' wrote, "
        + "parted by colons, an ONNX bundle first")
  }
  return paths.split(separator: ":").map { URL(fileURLWithPath: String($0), isDirectory: true) }
}

func testBundle() throws -> ModelBundle {
  try ModelBundle(at: testBundleFolders()[0])
}

/// Larger than the bundle's tile in both directions.
func fourTileFrame(_ manifest: Manifest) throws -> RawFrame {
  try testFrame(rows: manifest.tile[0] + 88, columns: manifest.tile[1] + 200)
}

/// A copy of the test bundle that a test may damage.
final class BundleCopy {
  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("raw-denoise-\(UUID().uuidString)", isDirectory: true)
    // File by file: copyItem also wants to keep the owner, which only root may.
    let (files, source) = (FileManager.default, try testBundleFolders()[0])
    for name in try files.subpathsOfDirectory(atPath: source.path).sorted() {
      let from = source.appendingPathComponent(name)
      if (try? from.resourceValues(forKeys: [.isDirectoryKey]))?.isDirectory == true { continue }
      try files.createDirectory(
        at: url(name).deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(contentsOf: from).write(to: url(name))
    }
  }

  deinit { try? FileManager.default.removeItem(at: folder) }

  func url(_ name: String) -> URL { folder.appendingPathComponent(name) }

  /// Change the text of a file, and the sums with it unless the change is to be found.
  func edit(_ name: String, keepingSums: Bool = false, _ change: (String) -> String) throws {
    let text = try String(contentsOf: url(name), encoding: .utf8)
    let old = try FileDigest.sha256(of: url(name))
    try change(text).write(to: url(name), atomically: true, encoding: .utf8)
    if keepingSums { return }
    let new = try FileDigest.sha256(of: url(name))
    let sums = try String(contentsOf: url(Checksums.file), encoding: .utf8)
    try sums.replacingOccurrences(of: old, with: new)
      .write(to: url(Checksums.file), atomically: true, encoding: .utf8)
  }
}

/// Returns what it was given, or what a closure makes of it.
final class FakeEngine: Engine {
  typealias Change = ([Float], Int, Int, [Float]) throws -> [Float]

  let runtime = (name: "fake", version: "1")
  private(set) var calls: [(rows: Int, columns: Int, scalars: [Float])] = []
  private let change: Change

  init(_ change: @escaping Change = { raw, _, _, _ in raw }) {
    self.change = change
  }

  func run(_ raw: [Float], rows: Int, columns: Int, scalars: [Float]) throws -> [Float] {
    calls.append((rows, columns, scalars))
    return try change(raw, rows, columns, scalars)
  }
}

/// A reproducible frame whose samples use the whole range.
func testFrame(
  rows: Int, columns: Int, cfa: BayerPattern = .rggb, black: [Double] = [64, 64, 64, 64],
  white: Double = 1023, iso: Double? = 1600
) throws -> RawFrame {
  var state: UInt64 = 4208
  let samples = (0..<rows * columns).map { _ -> UInt16 in
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return UInt16((state >> 33) % UInt64(white + 1))
  }
  return try RawFrame(
    mosaic: Mosaic(rows: rows, columns: columns, samples: samples), cfa: cfa, blackLevel: black,
    whiteLevel: white, iso: iso)
}

/// The message of the `DenoiseError` that a body throws.
func message(
  _ body: () throws -> Void, file: StaticString = #filePath, line: UInt = #line
) -> String {
  do {
    try body()
    XCTFail("nothing was thrown", file: file, line: line)
    return ""
  } catch let error as DenoiseError {
    return error.message
  } catch {
    XCTFail("\(error) is no DenoiseError", file: file, line: line)
    return ""
  }
}
