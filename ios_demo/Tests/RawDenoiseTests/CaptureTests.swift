import XCTest

@testable import RawDenoise

final class CaptureTests: XCTestCase {
  private let metadata: [String: Any] = [
    "{DNG}": [
      "BlackLevel": [528.0, 529, 530, 531], "WhiteLevel": 4095, "AsShotNeutral": [0.5, 1, 0.6],
      "NoiseProfile": [0.1, 0.2, 0.001, 0.002, 0.3, 0.4],
    ] as [String: Any],
    "{Exif}": ["ISOSpeedRatings": [640]],
  ]

  func testACaptureOfEachPattern() throws {
    for (code, cfa) in [
      ("rgg4", BayerPattern.rggb), ("grb4", .grbg), ("gbr4", .gbrg), ("bgg4", .bggr),
    ] {
      let capture = try CaptureMetadata(pixelFormat: fourCharacters(code), metadata: metadata)
      XCTAssertEqual(capture.cfa, cfa)
      XCTAssertEqual(cfa.cellOrder(capture.blackLevel), [528, 529, 530, 531])
      XCTAssertEqual(capture.iso, 640)
      XCTAssertEqual(capture.noise, NoiseParameters(a: 0.001, b: 0.002))
      XCTAssertNil(capture.colorMatrix)
    }
  }

  func testOtherFormatsAreMessages() {
    for code in ["l64r", "btp2", "420f"] {
      let said = message {
        _ = try CaptureMetadata(pixelFormat: fourCharacters(code), metadata: metadata)
      }
      XCTAssertTrue(said.contains("pixel format '\(code)'"), said)
    }
  }

  func testMissingLevelsAreAMessage() {
    let wrong: [[String: Any]] = [
      [:], ["{DNG}": ["WhiteLevel": 4095]], ["{DNG}": ["BlackLevel": 528]],
      ["{DNG}": ["WhiteLevel": Double.nan, "BlackLevel": 528]],
      ["{DNG}": ["WhiteLevel": 4095, "BlackLevel": [1, 2, 3]] as [String: Any]],
    ]
    for given in wrong {
      let said = message {
        _ = try CaptureMetadata(pixelFormat: fourCharacters("rgg4"), metadata: given)
      }
      XCTAssertTrue(said.contains("no black and white level"), said)
    }
  }

  func testAMissingISOLeavesTheGainToTheUser() throws {
    let capture = try CaptureMetadata(
      pixelFormat: fourCharacters("rgg4"), metadata: ["{DNG}": metadata["{DNG}"]!])
    XCTAssertNil(capture.iso)
  }

  func testPaddedRowsAreLeftOut() throws {
    let bytes: [UInt8] = [1, 0, 2, 0, 99, 99, 3, 0, 4, 1]
    let mosaic = try bytes.withUnsafeBytes {
      try Mosaic<UInt16>(rows: 2, columns: 2, bytesPerRow: 6, bytes: $0)
    }
    XCTAssertEqual(mosaic.samples, [1, 2, 3, 260])
    let said = message {
      _ = try bytes.withUnsafeBytes {
        try Mosaic<UInt16>(rows: 3, columns: 2, bytesPerRow: 6, bytes: $0)
      }
    }
    XCTAssertTrue(said.contains("10 bytes"), said)
  }

  private func fourCharacters(_ code: String) -> UInt32 {
    code.utf8.reduce(0) { $0 << 8 | UInt32($1) }
  }
}
