import XCTest

@testable import RawDenoise

final class BundleTests: XCTestCase {
  func testReadsTheManifest() throws {
    let manifest = try testBundle().manifest
    XCTAssertEqual(manifest.schemaVersion, 2)
    XCTAssertEqual(manifest.network.members, manifest.edges.count + 1)
    XCTAssertEqual(manifest.problems, [])
  }

  func testDigestsAreThoseOfTheStandard() {
    // FIPS 180-4's examples, and a length that ends on a block.
    XCTAssertEqual(
      FileDigest.sha256(of: Data("abc".utf8)),
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    XCTAssertEqual(
      FileDigest.sha256(of: Data()),
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    XCTAssertEqual(
      FileDigest.sha256(of: Data(repeating: UInt8(ascii: "a"), count: 1_000_000)),
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  func testPartsOfAnyLengthHashAlike() {
    let bytes = Data((0..<257).map { UInt8(truncatingIfNeeded: $0) })
    for part in [1, 3, 55, 56, 63, 64, 65, 119, 120, 256] {
      var hasher = PortableSHA256()
      for start in stride(from: 0, to: bytes.count, by: part) {
        hasher.update(data: bytes[start..<min(start + part, bytes.count)])
      }
      var whole = PortableSHA256()
      whole.update(data: bytes)
      XCTAssertEqual(hasher.finalize(), whole.finalize(), "\(part)")
    }
  }

  func testAChangedFileIsNamed() throws {
    let copy = try BundleCopy()
    try copy.edit("manifest.json", keepingSums: true) { $0 + " " }
    let said = message { _ = try ModelBundle(at: copy.folder) }
    XCTAssertTrue(said.contains("manifest.json has another hash"), said)
    XCTAssertTrue(said.contains("copy or export it again"), said)
  }

  func testMissingAndForeignFilesAreNamed() throws {
    let copy = try BundleCopy()
    let model = try testBundle().manifest.files[0]
    try FileManager.default.removeItem(at: copy.url(model))
    try Data("x".utf8).write(to: copy.url(".hidden"))
    let said = message { _ = try ModelBundle(at: copy.folder) }
    XCTAssertTrue(said.contains("\(model) is missing"), said)
    XCTAssertTrue(said.contains(".hidden is not listed"), said)
  }

  func testAFolderWithoutManifestIsNoBundle() {
    let folder = FileManager.default.temporaryDirectory
    XCTAssertTrue(message { _ = try ModelBundle(at: folder) }.contains("is not a bundle"))
  }

  func testAnotherSchemaIsRefusedBeforeItsFieldsAreRead() throws {
    let copy = try BundleCopy()
    try copy.edit("manifest.json") { _ in "{\"schema_version\": 3}" }
    let said = message { _ = try ModelBundle(at: copy.folder) }
    XCTAssertTrue(said.contains("has schema version 3; this app reads 2"), said)
  }

  func testEveryWrongFieldIsNamed() throws {
    let changes = [
      ("\"stride\": 16", "\"stride\": \"16\"", "stride is not a Int"),
      ("\"stride\": 16", "\"stride\": 0", "no geometry"),
      ("\"halo\": 48", "\"halo\": 47", "halo 47 does not fit"),
      ("\"min_side\"", "\"max_side\"", "min_side is missing"),
      ("\"bit_depth\": 10", "\"bit_depth\": 9", "does not fit in 9 bits"),
      ("\"cfa\": \"RGGB\"", "\"cfa\": \"XTRANS\"", "sensor.cfa has a wrong value"),
      ("golden/00.raw.u16", "../00.raw.u16", "is no path below the bundle"),
      ("\"members\": 4", "\"members\": 5", "do not part 5 members"),
      ("\"name\": \"gain\"", "\"name\": \"iso\"", "inputs"),
      ("{", "[", "is not JSON"),
    ]
    for (old, new, expected) in changes {
      let copy = try BundleCopy()
      try copy.edit("manifest.json") { text in
        text.replacingCharacters(in: text.range(of: old)!, with: new)
      }
      let said = message { _ = try ModelBundle(at: copy.folder) }
      XCTAssertTrue(said.contains(expected), "\(new): \(said)")
      XCTAssertTrue(said.contains("export the bundle again"), said)
    }
  }
}
