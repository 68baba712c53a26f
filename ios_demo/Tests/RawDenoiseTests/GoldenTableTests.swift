import XCTest

@testable import RawDenoise

final class GoldenTableTests: XCTestCase {
  func testEveryRowAgreesWithPython() throws {
    for folder in try testBundleFolders() {
      let bundle = try ModelBundle(at: folder)
      let replay = TableReplay(
        table: try GoldenTable.read(from: bundle), manifest: bundle.manifest)
      XCTAssertEqual(replay.problems(), [], folder.lastPathComponent)
      XCTAssertGreaterThan(replay.rows, 60)
    }
  }

  func testSelectionOfTheManifest() throws {
    let manifest = try testBundle().manifest
    for row in manifest.selection {
      XCTAssertEqual(manifest.member(forScalar: Float(row.value)), row.member, "\(row)")
    }
  }

  func testEveryChangedRowIsFound() throws {
    let changes = [
      ("selection", "\"member\": 0", "\"member\": 1", "selection[0] differs"),
      ("noise", "\"b\": 4", "\"b\": 5", "noise[0] differs"),
      ("packing", "\"origin\": [1, 1]", "\"origin\": [1, 0]", "packing["),
      ("tiling", "\"padded\": [3120, 4208]", "\"padded\": [3136, 4208]", "tiling["),
      ("dn", "\"value\": 1.5, ", "\"value\": 2.75, ", "dn["),
      ("vectors", "\"00.0\"", "\"00.9\"", "vectors are not the manifest's"),
    ]
    for (section, old, new, expected) in changes {
      let copy = try BundleCopy()
      try copy.edit(GoldenTable.file) { text in
        let start = text.range(of: "\"\(section)\": [")!.lowerBound
        let place = text.range(of: old, range: start..<text.endIndex)!
        return text.replacingCharacters(in: place, with: new)
      }
      let bundle = try ModelBundle(at: copy.folder)
      let problems = TableReplay(
        table: try GoldenTable.read(from: bundle), manifest: bundle.manifest
      ).problems()
      XCTAssertTrue(problems.contains { $0.contains(expected) }, "\(section): \(problems)")
    }
  }

  func testImpossibleSizesAreRefused() throws {
    for (old, new) in [
      ("\"multiple\": 2", "\"multiple\": 0"), ("\"stride\": 8", "\"stride\": 0"),
      ("\"height\": 3120", "\"height\": 999999999"),
    ] {
      let copy = try BundleCopy()
      try copy.edit(GoldenTable.file) { $0.replacingOccurrences(of: old, with: new) }
      let bundle = try ModelBundle(at: copy.folder)
      XCTAssertTrue(
        message { _ = try GoldenTable.read(from: bundle) }.contains("impossible size"), new)
    }
  }

  func testATableOfAnotherSchemaIsRefused() throws {
    let copy = try BundleCopy()
    try copy.edit(GoldenTable.file) {
      $0.replacingOccurrences(of: "\"schema_version\": 1", with: "\"schema_version\": 7")
    }
    let bundle = try ModelBundle(at: copy.folder)
    XCTAssertTrue(
      message { _ = try GoldenTable.read(from: bundle) }.contains("has schema version 7"))
  }
}
